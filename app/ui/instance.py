"""The one instance of the program: hears what later starts hand over, and answers each; knows
nothing of what is done with it."""

from __future__ import annotations

import logging
import os
import sys
from functools import partial
from pathlib import Path

from PySide6.QtCore import QLockFile, QObject, QTimer, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

from app.handover import LONGEST, Reply, address, decode, encode
from app.vocabulary import UsageFault

log = logging.getLogger(__name__)

PATIENCE = 5_000  # ms that who has connected may take to say something
AT_ONCE = 8  # who may be connected at a time
_LOOK = 500  # ms for a socket that stands there to be answered
_TURN = 5_000  # ms to wait for another start to decide who is first


class Instance(QObject):
    """`invoked` carries an Invocation. Only the user's own programs can connect."""

    invoked = Signal(object)

    def __init__(self, home: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.where = address(home)
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.setMaxPendingConnections(AT_ONCE)
        self._server.newConnection.connect(self._meet)
        self._connected: set[QLocalSocket] = set()

    def listen(self) -> bool:
        """Become the first. False: another one is; a socket that a crash left is taken over."""
        # two starts at once: one decides after the other, and then sees it
        turn = QLockFile(f"{self.where}.lock" if sys.platform != "win32" else _lock(self.where))
        turn.setStaleLockTime(_TURN)
        turn.tryLock(_TURN)
        try:
            if self._answered():
                return False
            QLocalServer.removeServer(self.where)
            if not self._server.listen(self.where):
                # such as a full or read-only place for sockets: the program itself still works
                log.warning("no second start will be heard: %s", self._server.errorString())
            return True
        finally:
            turn.unlock()

    @property
    def listening(self) -> bool:
        return self._server.isListening()

    def close(self) -> None:
        """Hears no more, and leaves no socket behind."""
        self._server.close()
        for socket in tuple(self._connected):
            socket.abort()

    def _answered(self) -> bool:
        socket = QLocalSocket()
        socket.connectToServer(self.where)
        there = socket.waitForConnected(_LOOK)
        socket.abort()
        return there

    def _meet(self) -> None:
        while (socket := self._server.nextPendingConnection()) is not None:
            if len(self._connected) >= AT_ONCE:
                socket.abort()
                socket.deleteLater()
                continue
            self._connected.add(socket)
            socket.readyRead.connect(partial(self._hear, socket))
            socket.disconnected.connect(partial(self._forget, socket))
            QTimer.singleShot(PATIENCE, socket, socket.abort)
            if socket.bytesAvailable():
                self._hear(socket)

    def _forget(self, socket: QLocalSocket) -> None:
        self._connected.discard(socket)
        socket.deleteLater()

    def _hear(self, socket: QLocalSocket) -> None:
        """Once a line is there, whole: answer it and hang up. One without end is cut off."""
        if socket not in self._connected:
            return
        if not socket.canReadLine() and socket.bytesAvailable() <= LONGEST:
            return
        line = bytes(socket.readLine(LONGEST + 1).data())
        try:
            said = decode(line)
        except UsageFault as fault:
            log.warning("refused what a second start handed over: %s", fault.detail)
            self._answer(socket, Reply(fault.message))
            return
        self._answer(socket, Reply())
        if said.token:  # Qt reads it there, once, when a window next asks for the front
            os.environ["XDG_ACTIVATION_TOKEN"] = said.token
        self.invoked.emit(said)

    def _answer(self, socket: QLocalSocket, reply: Reply) -> None:
        self._connected.discard(socket)
        socket.write(encode(reply))
        socket.flush()
        socket.disconnectFromServer()


def _lock(name: str) -> str:
    return str(Path(os.environ.get("TEMP", ".")) / f"{name}.lock")
