"""Which language the program speaks; knows the catalogues, not what they say."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator

from app.ui.assets import TRANSLATIONS


def speaks_chinese(choice: str) -> bool:
    """Whether "system", "en" or "zh" comes out as Chinese here."""
    if choice == "system":
        return QLocale.system().language() == QLocale.Language.Chinese
    return choice == "zh"


def speak(app: QCoreApplication, choice: str) -> None:
    """Has every text made from now on in the chosen language; English needs no catalogue.

    Raises:
        FileNotFoundError: the program's own catalogue is not where it was installed.
    """
    if not speaks_chinese(choice):
        QLocale.setDefault(
            QLocale.system() if choice == "system" else QLocale(QLocale.Language.English)
        )
        return
    QLocale.setDefault(QLocale(QLocale.Language.Chinese))  # the fonts go by it
    own = QTranslator(app)
    if not own.load("sightline_zh_CN", str(TRANSLATIONS)):
        raise FileNotFoundError(TRANSLATIONS / "sightline_zh_CN.qm")
    app.installTranslator(own)
    qt = QTranslator(app)  # the texts of Qt's own dialogs
    if qt.load("qtbase_zh_CN", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)):
        app.installTranslator(qt)
