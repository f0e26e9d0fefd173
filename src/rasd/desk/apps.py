from django.apps import AppConfig


class DeskConfig(AppConfig):
    name = "rasd.desk"
    label = "desk"

    def ready(self) -> None:
        from rasd.desk import receivers  # noqa: F401 (connects them)
