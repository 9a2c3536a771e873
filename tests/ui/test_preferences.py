from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QWidget

from app.settings import LOCAL, Profile, Settings
from app.ui import services
from app.ui.look import Look
from app.ui.preferences import Preferences

Hear = Callable[..., list[Any]]
OFFICE = Profile("Office", "http://10.0.0.7:8000/v1", "zai-org/GLM-4.5V", switch="template")


@pytest.fixture
def owner(shown: Callable[[QWidget], QWidget]) -> QWidget:
    return shown(QWidget())


@pytest.fixture
def preferences(look: Look, owner: QWidget) -> Preferences:
    made = Preferences(look, Settings(profiles=(OFFICE,)), owner)
    made.open()
    return made


def fill(preferences: Preferences, name: str, url: str, model: str = "m", key: str = "") -> None:
    form = preferences.endpoints.form
    form.title.setText(name)
    form.url.setText(url)
    form.model.setEditText(model)
    form.key.setText(key)


def test_a_theme_is_applied_when_it_is_chosen(preferences: Preferences, hear: Hear) -> None:
    changed = hear(preferences.changed)
    preferences.appearance.theme._buttons["dark"].click()
    assert changed[0].theme == "dark"


def test_every_choice_of_looks_is_told(preferences: Preferences, hear: Hear) -> None:
    changed = hear(preferences.changed)
    preferences.appearance.language._buttons["zh"].click()
    preferences.appearance.arrangement._buttons["stacked"].click()
    assert (changed[-1].language, changed[-1].layout) == ("zh", "stacked")


def test_answers_are_applied_after_a_pause_in_typing(preferences: Preferences, hear: Hear) -> None:
    changed = hear(preferences.changed)
    preferences.answers.tokens.setValue(512)
    preferences.answers.prompt.setPlainText("Be short.")
    assert changed == []
    QTest.qWait(500)
    assert (changed[0].max_tokens, changed[0].system_prompt) == (512, "Be short.")
    assert len(changed) == 1


def test_closing_applies_what_was_just_typed(preferences: Preferences, hear: Hear) -> None:
    changed = hear(preferences.changed)
    preferences.answers.history.setValue(9)
    preferences.reject()
    assert changed[0].history_turns == 9


def test_the_temperature_can_be_left_to_the_model(preferences: Preferences, hear: Hear) -> None:
    preferences.show_settings(Settings(temperature=0.7))
    changed = hear(preferences.changed)
    preferences.answers.temperature.setValue(preferences.answers.temperature.minimum())
    preferences.answers.flush()
    assert changed[0].temperature is None


def test_settings_shown_are_not_told_as_changed(preferences: Preferences, hear: Hear) -> None:
    changed = hear(preferences.changed)
    preferences.show_settings(Settings(max_tokens=99, temperature=0.3, theme="dark"))
    QTest.qWait(450)
    assert changed == []


def test_a_new_endpoint_is_kept_and_used(preferences: Preferences, hear: Hear) -> None:
    changed, keyed = hear(preferences.changed), hear(preferences.endpoints.keyed)
    preferences.add_endpoint()
    fill(preferences, "Z.ai", "https://api.z.ai/v4/", "glm-4.5v", "s3cret")
    preferences.endpoints.form.save.click()
    assert [profile.name for profile in changed[0].profiles] == ["Office", "Z.ai"]
    assert changed[0].profiles[1].base_url == "https://api.z.ai/v4"
    assert changed[0].endpoint == "Z.ai"
    assert keyed == [("Z.ai", "s3cret")]


def test_no_key_is_ever_part_of_the_settings(preferences: Preferences, hear: Hear) -> None:
    changed = hear(preferences.changed)
    fill(preferences, "Office", "http://10.0.0.7:8000/v1", key="s3cret")
    preferences.endpoints.form.save.click()
    assert "s3cret" not in repr(changed)
    assert preferences.endpoints.form.key.text() == ""


def test_a_changed_endpoint_takes_its_key_along(preferences: Preferences, hear: Hear) -> None:
    renamed = hear(preferences.endpoints.renamed)
    fill(preferences, "Lab", "http://10.0.0.7:8000/v1")
    preferences.endpoints.form.save.click()
    assert renamed == [("Office", "Lab")]


def test_a_chosen_endpoint_stays_chosen_under_a_new_name(
    preferences: Preferences, hear: Hear
) -> None:
    preferences.show_settings(Settings(profiles=(OFFICE,), endpoint="Office"))
    changed = hear(preferences.changed)
    fill(preferences, "Lab", "http://10.0.0.7:8000/v1")
    preferences.endpoints.form.save.click()
    assert changed[0].endpoint == "Lab"


def test_changing_an_endpoint_does_not_choose_it(preferences: Preferences, hear: Hear) -> None:
    changed = hear(preferences.changed)
    fill(preferences, "Office", "http://10.0.0.8:8000/v1")
    preferences.endpoints.form.save.click()
    assert changed[0].endpoint == LOCAL


def test_a_removed_endpoint_leaves_this_machine_in_use(
    preferences: Preferences, hear: Hear
) -> None:
    preferences.show_settings(Settings(profiles=(OFFICE,), endpoint="Office"))
    changed, removed = hear(preferences.changed), hear(preferences.endpoints.removed)
    preferences.endpoints.form.remove.click()
    assert (changed[0].profiles, changed[0].endpoint) == ((), LOCAL)
    assert removed == ["Office"]


@pytest.mark.parametrize(
    ("name", "url", "model", "why"),
    [
        ("", "http://a/v1", "m", "name"),
        ("Office", "http://a/v1", "m", "already"),
        (LOCAL, "http://a/v1", "m", "already"),
        ("New", "api.example.com", "m", "http"),
        ("New", "http://[", "m", "http"),
        ("New", "ftp://a", "m", "http"),
        ("New", "http://a/v1", "", "model"),
    ],
)
def test_a_form_that_can_not_work_says_why_and_is_not_saved(
    preferences: Preferences, hear: Hear, name: str, url: str, model: str, why: str
) -> None:
    changed = hear(preferences.changed)
    preferences.add_endpoint()
    fill(preferences, name, url, model)
    preferences.endpoints.form.save.click()
    assert changed == []
    assert why in preferences.endpoints.form.says.text()


def test_a_test_lists_the_models_of_the_server(preferences: Preferences, hear: Hear) -> None:
    wanted = hear(preferences.endpoints.test_wanted)
    fill(preferences, "Office", "http://10.0.0.7:8000/v1", "", "k")
    preferences.endpoints.form.test.click()
    assert wanted[0][0].base_url == "http://10.0.0.7:8000/v1" and wanted[0][1] == "k"
    preferences.endpoints.show_tested(services.Tested("Office", True, "It answers.", ("a", "b")))
    form = preferences.endpoints.form
    assert [form.model.itemText(at) for at in range(form.model.count())] == ["a", "b"]
    assert form.model.currentText() == "a"


def test_a_failed_test_says_what_failed_and_keeps_the_form(preferences: Preferences) -> None:
    form = preferences.endpoints.form
    form.test.click()
    preferences.endpoints.show_tested(
        services.Tested("Office", False, "The server refused the key.")
    )
    assert form.says.text() == "The server refused the key."
    assert form.model.currentText() == OFFICE.model
    assert form.test.isEnabled()


def test_a_test_of_another_endpoint_is_not_shown(preferences: Preferences) -> None:
    preferences.endpoints.show_tested(services.Tested("Elsewhere", True, "It answers.", ("a",)))
    assert preferences.endpoints.form.says.text() == ""


def test_the_form_shows_how_an_endpoint_is_spoken_to(preferences: Preferences) -> None:
    changed = replace(OFFICE, dialect="glm-4.5v", pictures="base64", sees_pictures=False)
    preferences.show_settings(Settings(profiles=(changed,)))
    form = preferences.endpoints.form
    assert form._profile() == changed


def test_the_form_says_where_a_key_goes(preferences: Preferences) -> None:
    form = preferences.endpoints.form
    preferences.endpoints.show_vault("")
    assert form.vault.text() == "Kept in the system's keyring."
    preferences.endpoints.show_vault("This system offers no keyring.")
    assert form.vault.text() == "This system offers no keyring."


def test_a_key_can_not_be_read_from_the_screen(preferences: Preferences) -> None:
    assert preferences.endpoints.form.key.echoMode() == QLineEdit.EchoMode.Password


def test_without_endpoints_one_is_told_what_they_are_for(look: Look, owner: QWidget) -> None:
    preferences = Preferences(look, Settings(), owner)
    preferences.open()
    assert preferences.endpoints.empty.isVisible()
    assert not preferences.endpoints.form.isVisible()


def test_every_control_has_a_name(
    preferences: Preferences, unnamed: Callable[..., list[str]]
) -> None:
    assert unnamed(preferences) == []
