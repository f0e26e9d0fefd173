from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "rasd.console"
    label = "console"
