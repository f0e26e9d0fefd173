from django.apps import AppConfig


class PersonConfig(AppConfig):
    name = "rasd.person"
    label = "person"
