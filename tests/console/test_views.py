"""The views: their prompts, and which of them stand below the system view."""

import pytest

from agent.console.language import views
from agent.console.language.views import BLOCK, ENTITY, EVERYWHERE, REALM, SYSTEM, USER, View
from agent.settings import Entity, Realm, Settings


def settings() -> Settings:
    made = Settings()
    made.realms["abc"], made.entities["e1"] = Realm("Abc"), Entity("e1")
    return made


@pytest.mark.parametrize(
    ("view", "prompt"),
    [
        (View(USER), "<Huawei>"),
        (View(SYSTEM), "[Huawei]"),
        (View(REALM, "abc"), "[Huawei-pki-realm-Abc]"),
        (View(ENTITY, "e1"), "[Huawei-pki-entity-e1]"),
        (View(REALM, "gone"), "[Huawei]"),
    ],
)
def test_prompts(view: View, prompt: str) -> None:
    assert views.prompt(settings(), view) == prompt


def test_what_stands_below_the_system_view() -> None:
    below = [kind for kind in EVERYWHERE if View(kind).is_below_system]
    assert below == [kind for kind in EVERYWHERE if kind not in (USER, SYSTEM)]
    assert BLOCK.is_below_system, "a configuration may follow"
