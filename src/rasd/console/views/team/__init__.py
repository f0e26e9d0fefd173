"""Pages for those who lead a team: who works when, the queues and their times, and who owes what."""
