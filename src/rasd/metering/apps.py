from django.apps import AppConfig


class MeteringConfig(AppConfig):
    name = "rasd.metering"
    label = "metering"
