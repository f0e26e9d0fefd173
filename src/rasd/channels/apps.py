from django.apps import AppConfig


class ChannelsConfig(AppConfig):
    name = "rasd.channels"
    label = "channels"
