"""The pages of the chat."""

from django.urls import path

from project.chat.pages import RoomsView, RoomView

urlpatterns = [
    path("", RoomsView.as_view(), name="rooms"),
    path("rooms/<slug:room>/", RoomView.as_view(), name="room"),
]
