from django.urls import path

from rasd.portal import views

app_name = "portal"
urlpatterns = [
    path("<str:token>", views.case, name="case"),
]
