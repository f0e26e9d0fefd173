from django.urls import path

from rasd.portal import views

app_name = "portal"
urlpatterns = [
    path("<path:token>", views.case, name="case"),
]
