"""The conductor: what happens when a message arrives. Joins the senses to the records and speaks to the customer."""
