from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtGui import QImage, QInputMethodEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QWidget

from app.ui.attachment import Attachment
from app.ui.composer import Composer
from app.ui.given import read
from app.ui.look import Look
from app.ui.strip import Card
from app.vocabulary import Error, Frame

Hear = Callable[..., list[Any]]


@pytest.fixture
def composer(look: Look, shown: Callable[[QWidget], QWidget]) -> Composer:
    made = Composer(look)
    made.resize(800, 200)
    shown(made)
    return made


def test_enter_asks_the_question(composer: Composer, hear: Hear) -> None:
    asked = hear(composer.asked)
    QTest.keyClicks(composer.prompt, "What is the total due?")
    QTest.keyClick(composer.prompt, Qt.Key.Key_Return)
    assert asked == ["What is the total due?"]


def test_shift_enter_breaks_the_line_and_asks_nothing(composer: Composer, hear: Hear) -> None:
    asked = hear(composer.asked)
    QTest.keyClicks(composer.prompt, "one")
    QTest.keyClick(composer.prompt, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    QTest.keyClicks(composer.prompt, "two")
    assert composer.prompt.toPlainText() == "one\ntwo"
    assert asked == []


def test_enter_during_a_composition_sends_nothing(composer: Composer, hear: Hear) -> None:
    asked = hear(composer.asked)
    QTest.keyClicks(composer.prompt, "zong")
    QApplication.sendEvent(composer.prompt, QInputMethodEvent("zong e", []))
    QTest.keyClick(composer.prompt, Qt.Key.Key_Return)
    assert asked == []


def test_enter_sends_once_the_composition_is_over(composer: Composer, hear: Hear) -> None:
    asked = hear(composer.asked)
    QApplication.sendEvent(composer.prompt, QInputMethodEvent("zong e", []))
    done = QInputMethodEvent("", [])
    done.setCommitString("总额")
    QApplication.sendEvent(composer.prompt, done)
    QTest.keyClick(composer.prompt, Qt.Key.Key_Return)
    assert asked == ["总额"]


def test_an_empty_question_is_not_asked(composer: Composer, hear: Hear) -> None:
    asked = hear(composer.asked)
    QTest.keyClicks(composer.prompt, "   ")
    QTest.keyClick(composer.prompt, Qt.Key.Key_Return)
    assert asked == []
    assert not composer.send.isEnabled()


def test_a_picture_alone_can_be_sent(composer: Composer, hear: Hear, frame: Frame) -> None:
    asked = hear(composer.asked)
    composer.show_attachments((Attachment(1, "invoice.png", (frame,), 1, done=True),))
    composer.send.click()
    assert asked == [""]


def test_a_file_that_failed_is_nothing_to_send(composer: Composer) -> None:
    refused = Error("unsupported", "Sightline can't read .xyz files.")
    composer.show_attachments((Attachment(1, "a.xyz", error=refused),))
    assert not composer.send.isEnabled()


def test_the_question_stays_until_it_is_kept(composer: Composer) -> None:
    composer.prompt.setPlainText("Why?")
    composer.send.click()
    assert composer.prompt.toPlainText() == "Why?"
    composer.taken()
    assert composer.prompt.toPlainText() == ""


def test_what_is_typed_while_a_question_is_taken_stays(composer: Composer) -> None:
    composer.prompt.setPlainText("Why?")
    composer.send.click()
    composer.prompt.setPlainText("And how?")
    composer.taken()
    assert composer.prompt.toPlainText() == "And how?"


def test_a_retried_question_leaves_what_is_being_written(composer: Composer) -> None:
    composer.prompt.setPlainText("A draft")
    composer.taken()
    assert composer.prompt.toPlainText() == "A draft"


def test_send_becomes_stop_while_an_answer_comes(composer: Composer, hear: Hear) -> None:
    stopped = hear(composer.stopped)
    composer.show_busy(True)
    assert composer.send.accessibleName() == "Stop"
    composer.send.click()
    assert len(stopped) == 1


def test_enter_does_not_ask_again_while_an_answer_comes(composer: Composer, hear: Hear) -> None:
    asked = hear(composer.asked)
    composer.show_busy(True)
    composer.prompt.setPlainText("More?")
    QTest.keyClick(composer.prompt, Qt.Key.Key_Return)
    assert asked == []


def test_the_field_grows_with_the_text_up_to_eight_lines(composer: Composer, qt: Any) -> None:
    heights = []
    for lines in (1, 3, 8, 30):
        composer.prompt.setPlainText("\n".join("line" for _ in range(lines)))
        qt.processEvents()
        heights.append(composer.prompt.height())
    assert heights[0] < heights[1] < heights[2] == heights[3]


def test_a_model_that_does_not_see_is_said_to_read(composer: Composer) -> None:
    composer.show_sight(False)
    assert composer.note.isVisible()
    assert "does not see them" in composer.note.text()
    composer.show_sight(True)
    assert not composer.note.isVisible()


def test_thinking_is_offered_only_where_it_can_be_switched(composer: Composer) -> None:
    assert not composer.think.isVisible()
    composer.show_thinking(None, offered=True)
    assert composer.think.isVisible()


@pytest.mark.parametrize(("now", "then"), [(None, True), (True, False), (False, None)])
def test_thinking_goes_from_auto_to_on_to_off(
    composer: Composer, hear: Hear, now: bool | None, then: bool | None
) -> None:
    chosen = hear(composer.thinking_chosen)
    composer.show_thinking(now, offered=True)
    composer.think.click()
    assert chosen == [then]


def test_a_card_tells_how_many_pages_came(composer: Composer, frame: Frame) -> None:
    composer.show_attachments((Attachment(1, "report.pdf", (frame,) * 3, 12),))
    assert card(composer).accessibleName() == "report.pdf, 3 of 12"


def test_a_failed_card_says_its_sentence(composer: Composer) -> None:
    why = "Sightline can't read .xyz files. Convert it to PDF first."
    composer.show_attachments((Attachment(1, "a.xyz", error=Error("unsupported", why)),))
    assert why in card(composer).accessibleName()


def test_a_card_can_be_taken_away(composer: Composer, hear: Hear, frame: Frame) -> None:
    removed = hear(composer.strip.removed)
    composer.show_attachments((Attachment(7, "a.png", (frame,), 1, done=True),))
    card(composer)._remove.click()
    assert removed == [7]


def test_a_locked_file_asks_for_its_password(composer: Composer, hear: Hear) -> None:
    unlocked = hear(composer.strip.unlocked)
    locked = Error("needs_password", "This PDF is locked. Type its password to open it.")
    composer.show_attachments((Attachment(3, "secret.pdf", error=locked),))
    field = next(f for f in card(composer).findChildren(QLineEdit) if f.isVisible())
    assert field.echoMode() == QLineEdit.EchoMode.Password
    QTest.keyClicks(field, "open sesame")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert unlocked == [(3, "open sesame")]


def test_a_card_that_is_gone_leaves_the_strip(composer: Composer, frame: Frame) -> None:
    composer.show_attachments((Attachment(1, "a.png", (frame,), 1, done=True),))
    composer.show_attachments(())
    assert not composer.strip.isVisible()


def test_a_thumbnail_is_made_of_the_first_picture(
    composer: Composer, frame: Frame, qt: Any
) -> None:
    composer.show_attachments((Attachment(1, "a.png", (frame,), 1, done=True),))
    composer.strip.thumbnails.close()
    qt.processEvents()
    middle = card(composer)._thumb.icon().pixmap(40, 40).toImage().pixelColor(20, 20)
    assert middle.red() > 200 and middle.green() < 50


def test_a_thumbnail_opens_its_pictures(composer: Composer, hear: Hear, frame: Frame) -> None:
    opened = hear(composer.strip.opened)
    composer.show_attachments((Attachment(1, "a.pdf", (frame, frame), 2, done=True),))
    card(composer)._thumb.click()
    assert opened == [(frame, frame)]


def test_pasted_files_are_given_as_files(composer: Composer, hear: Hear, tmp_path: Path) -> None:
    given = hear(composer.prompt.given)
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(tmp_path / name)) for name in ("a.png", "b.pdf")])
    composer.prompt.insertFromMimeData(mime)
    assert [path.name for path in given[0].files] == ["a.png", "b.pdf"]


def test_a_pasted_picture_keeps_the_bytes_it_came_in(picture: Callable[..., bytes]) -> None:
    mime = QMimeData()
    mime.setData("image/png", picture())
    assert read(mime).picture == (picture(), "image/png")


def test_a_pasted_bitmap_is_given_to_be_encoded(qt: Any) -> None:
    mime = QMimeData()
    mime.setImageData(QImage(4, 4, QImage.Format.Format_RGB32))
    given = read(mime)
    assert given.image is not None and given.image.width() == 4


def test_pasted_text_is_text_even_beside_a_picture_of_it(
    composer: Composer, hear: Hear, picture: Callable[..., bytes]
) -> None:
    given = hear(composer.prompt.given)
    mime = QMimeData()
    mime.setText("total\t211.41")
    mime.setData("image/png", picture())
    composer.prompt.insertFromMimeData(mime)
    assert composer.prompt.toPlainText() == "total\t211.41"
    assert given == []


def test_an_address_of_elsewhere_is_refused_by_name() -> None:
    mime = QMimeData()
    mime.setData("text/uri-list", b"https://example.com/a.png\r\n")
    given = read(mime)
    assert given.refused == ("https://example.com/a.png",) or given.text


def test_every_control_has_a_name(
    composer: Composer, frame: Frame, unnamed: Callable[..., list[str]]
) -> None:
    locked = Error("wrong_password", "That password does not open it.")
    composer.show_attachments(
        (Attachment(1, "a.png", (frame,), 1, done=True), Attachment(2, "b.pdf", error=locked))
    )
    assert unnamed(composer) == []


def card(composer: Composer) -> Card:
    return composer.strip.findChildren(Card)[0]
