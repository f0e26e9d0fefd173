"""The records of the desk: contacts, conversations, messages, and who owes whom an answer by when."""
