urlpatterns: list = []
app_name = "console"
