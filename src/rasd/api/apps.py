from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "rasd.api"
    label = "rasd_api"
    verbose_name = "API"

    def ready(self) -> None:
        from rasd.api import receivers  # noqa: F401 (connects them)
