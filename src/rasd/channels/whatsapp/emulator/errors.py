"""Meta's error codes, with their words and HTTP statuses.

Source: developers.facebook.com, WhatsApp Business Platform, "Error codes", and the ``GraphAPIError`` schema of Meta's
OpenAPI v23.0. Meta asks clients to go by the code and not by the status; sources disagree on the status of throttling
codes (400 in older tables, 429 in recorded answers): here it is 429.
"""

import secrets

# code: (title, HTTP status, default details)
CODES: dict[int, tuple[str, int, str]] = {
    0: ("AuthException", 401, "We were unable to authenticate the app user."),
    1: ("API Unknown", 400, "Invalid request or possible server error."),
    2: ("API Service", 503, "Temporary due to downtime or due to being overloaded."),
    3: ("API Method", 500, "Capability or permissions issue."),
    4: ("API Too Many Calls", 429, "The app has reached its API call rate limit."),
    10: ("Permission Denied", 403, "Permission is either not granted or has been removed."),
    33: ("Parameter value is not valid", 400, "The business phone number has been deleted."),
    100: ("Invalid parameter", 400, "The request included one or more unsupported or misspelled parameters."),
    190: ("Invalid OAuth access token.", 401, "The access token is missing, wrong or has expired."),
    200: ("API Permission", 403, "Permission is either not granted or has been removed."),
    368: ("Temporarily blocked for policies violations", 403, "The account has been restricted or disabled."),
    80007: ("Rate limit issues", 429, "The WhatsApp Business Account has reached its rate limit."),
    130429: ("Rate limit hit", 429, "Cloud API message throughput has been reached."),
    130472: ("User's number is part of an experiment", 400, "Message was not sent as part of an experiment."),
    130497: (
        "Business account is restricted from messaging users in this country.",
        403,
        "Country restriction.",
    ),
    131000: ("Something went wrong", 500, "Message failed to send due to an unknown error."),
    131005: ("Access denied", 403, "Permission is either not granted or has been removed."),
    131008: ("Required parameter is missing", 400, "The request is missing a required parameter."),
    131009: ("Parameter value is not valid", 400, "One or more parameter values are invalid."),
    131016: ("Service unavailable", 503, "A service is temporarily unavailable."),
    131021: ("Recipient cannot be sender", 400, "Sender and recipient phone number is the same."),
    131026: ("Message undeliverable", 400, "Unable to deliver message."),
    131030: ("Recipient phone number not in allowed list", 400, "Add the recipient to the allowed list."),
    131031: ("Business Account locked", 403, "The account has been restricted or disabled."),
    131042: ("Business eligibility payment issue", 400, "There was an error related to your payment method."),
    131045: (
        "Incorrect certificate",
        500,
        "Message failed to send due to a phone number registration error.",
    ),
    131047: (
        "Re-engagement message",
        400,
        "More than 24 hours have passed since the customer last replied to this number. Send a template.",
    ),
    131048: ("Spam rate limit hit", 429, "Too many previous messages were blocked or flagged as spam."),
    131049: ("Meta chose not to deliver.", 400, "Not delivered to maintain healthy ecosystem engagement."),
    131051: ("Unsupported message type", 400, "Unsupported message type."),
    131052: ("Media download error", 400, "Unable to download the media sent by the user."),
    131053: ("Media upload error", 400, "Unable to upload the media used in the message."),
    131056: (
        "(Business Account, Consumer Account) pair rate limit hit",
        429,
        "Too many messages sent from this phone number to the same phone number in a short period of time.",
    ),
    131057: ("Account in maintenance mode", 500, "The business account is in maintenance mode."),
    132000: (
        "Number of parameters does not match the expected number of params",
        400,
        "Template parameters.",
    ),
    132001: ("Template name does not exist in the translation", 404, "No such template in this language."),
    132005: ("Template hydrated text too long", 400, "Translated text is too long."),
    132007: ("Template format character policy violated", 400, "Template content violates a policy."),
    132012: ("Parameter format does not match format in the created template", 400, "Parameter format."),
    132015: ("Template is paused", 400, "Template is paused due to low quality."),
    132016: ("Template is disabled", 400, "Template has been paused too many times and is disabled."),
    133010: ("Phone number not registered", 400, "Phone number not registered on the platform."),
    135000: ("Generic user error", 400, "Message failed to send because of an unknown error."),
}
# Meta says of these that trying again can help (its "Error codes" page; the project's design, "Facts to build on").
TRANSIENT = {4, 80007, 130429, 131000, 131016, 131056, 131057}


class GraphError(Exception):
    """An answer of the Cloud API that is an error.

    ``message`` replaces the code's usual title; ``status`` its usual HTTP status.
    """

    def __init__(
        self, code: int, details: str = "", *, message: str = "", status: int = 0, subcode: int | None = None
    ) -> None:
        title, usual_status, usual_details = CODES.get(code, ("Unknown error", 400, "Unknown error."))
        self.code = code
        self.title = message or title
        self.details = details or usual_details
        self.status = status or usual_status
        self.subcode = subcode
        super().__init__(f"(#{code}) {self.title}: {self.details}")

    def body(self) -> dict:
        """The JSON of the HTTP answer."""
        error: dict = {
            "message": f"(#{self.code}) {self.title}" if self.code != 190 else self.title,
            "type": "OAuthException",
            "code": self.code,
            "error_data": {"messaging_product": "whatsapp", "details": self.details},
            "fbtrace_id": "A" + secrets.token_urlsafe(16),
        }
        if self.subcode is not None:
            error["error_subcode"] = self.subcode
        if self.code in TRANSIENT:
            error["is_transient"] = True
        return {"error": error}

    def in_status(self) -> dict:
        """The same error as it stands in a ``failed`` status webhook."""
        return {
            "code": self.code,
            "title": self.title,
            "message": self.title,
            "error_data": {"details": self.details},
            "href": "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/",
        }
