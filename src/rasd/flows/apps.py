from django.apps import AppConfig


class FlowsConfig(AppConfig):
    name = "rasd.flows"
    label = "flows"

    def ready(self) -> None:
        from rasd.flows import estimates, receivers, rounds  # noqa: F401 (connects them)
