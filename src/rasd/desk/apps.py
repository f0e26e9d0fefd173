from django.apps import AppConfig


class DeskConfig(AppConfig):
    name = "rasd.desk"
    label = "desk"

    def ready(self) -> None:
        from rasd.desk import receivers  # noqa: F401 (connects them)
        from rasd.desk.models import AccountMark
        from rasd.ledger.projections import KNOWN, Projection

        KNOWN.append(Projection("the account of who owed what", AccountMark.rebuild, AccountMark.differs))
