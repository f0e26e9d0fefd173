"""The customers' pages: thin views over cases, without login, session, cookie or script."""
