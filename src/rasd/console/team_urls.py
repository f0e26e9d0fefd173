"""The team and its wall."""

from django.urls import path

from rasd.console.views import wall
from rasd.console.views.team import people, person, queues, work

urlpatterns = [
    path("team/", people.team, name="team"),
    path("team/week", people.week, name="team_week"),
    path("team/add", people.add, name="team_add"),
    path("team/me", person.myself, name="my_shift"),
    path("team/people/<int:pk>", person.person, name="team_person"),
    path("team/people/<int:pk>/absent", person.absent, name="team_absent"),
    path("team/people/<int:pk>/leave", person.leave, name="team_leave"),
    path("team/absences/<int:pk>/back", person.back, name="team_back"),
    path("team/queues/", queues.queues, name="team_queues"),
    path("team/queues/new", queues.queue, name="team_new_queue"),
    path("team/queues/<int:pk>", queues.queue, name="team_queue"),
    path("team/work", work.work, name="team_work"),
    path("team/work/move", work.move, name="team_move"),
    path("team/work/undo", work.undo, name="team_undo"),
    path("wall", wall.wall, name="wall"),
    path("wall/screens", wall.screens, name="wall_screens"),
    path("wall/screens/<int:pk>/revoke", wall.revoke, name="wall_revoke"),
    path("wall/tv/<str:token>", wall.tv, name="wall_tv"),
]
