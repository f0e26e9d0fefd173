from django.apps import AppConfig


class FlowsConfig(AppConfig):
    name = "rasd.flows"
    label = "flows"
