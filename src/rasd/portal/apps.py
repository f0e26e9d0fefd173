from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "rasd.portal"
    label = "portal"
