"""A small client of event streams, of Python's standard library alone: what adapter.py adapts."""

import codecs
import http.client
import re
import socket
import threading
import urllib.parse


class Client:
    """Follows a URL until it is closed. The callbacks are called on its own thread, and not any more once close() has returned."""

    def __init__(self, url, headers, last_event_id, retry, on_open, on_event, on_error):
        self.url, self.headers, self.id, self.retry = urllib.parse.urlsplit(url), headers, last_event_id, retry
        self.on_open, self.on_event, self.on_error = on_open, on_event, on_error
        self.closed, self.socket = threading.Event(), None
        self.calling = threading.Lock()
        threading.Thread(target=self.run, daemon=True).start()

    def close(self):
        with self.calling:
            self.closed.set()
        if self.socket:
            try:
                self.socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it has ended already

    def tell(self, callback, *what):
        with self.calling:
            if not self.closed.is_set():
                callback(*what)

    def run(self):
        while not self.closed.is_set():
            final, status, why = self.connect()
            self.tell(self.on_error, final, status, why)
            if final or self.closed.wait(self.retry):
                return

    def connect(self):
        """Follows one connection to its end, and says whether that was final, the status and why."""
        if self.url.scheme != "http":
            return True, 0, f"cannot follow {self.url.scheme}:"
        connection = None
        try:
            connection = http.client.HTTPConnection(self.url.hostname, self.url.port)
            connection.connect()
            self.socket = connection.sock
            headers = {"Accept": "text/event-stream", "Cache-Control": "no-cache", **self.headers}
            if self.id:
                headers["Last-Event-ID"] = self.id.encode()
            path = urllib.parse.urlunsplit(("", "", self.url.path or "/", self.url.query, ""))
            connection.request("GET", path, headers=headers)
            response = connection.getresponse()
            if response.status != 200:
                return response.status < 500, response.status, f"status {response.status}"
            if response.headers.get_content_type() != "text/event-stream":
                return True, response.status, f"content type {response.headers.get('Content-Type')}"
            self.tell(self.on_open)
            self.read(response)
            return False, 0, "the stream ended"
        except (http.client.InvalidURL, UnicodeError) as e:
            return True, 0, repr(e)
        except (OSError, http.client.HTTPException) as e:
            return False, 0, repr(e)
        finally:
            if connection:
                connection.close()

    def read(self, response):
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        text, first, after_cr = "", True, False
        self.kind, self.data, self.next_id = "", [], self.id
        while piece := response.read1(65536):
            new = decoder.decode(piece)
            if not new:
                continue
            if first:
                new, first = new.removeprefix("\ufeff"), False
            if after_cr:
                new = new.removeprefix("\n")  # the second half of a CRLF
            after_cr = new.endswith("\r")
            *lines, text = re.split("\r\n|\n|\r", text + new)
            for line in lines:
                self.line(line)

    def line(self, line):
        if not line:
            self.id = self.next_id
            if self.data:
                self.tell(self.on_event, self.kind or "message", "\n".join(self.data), self.id)
            self.kind, self.data = "", []
            return
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            self.data.append(value)
        elif field == "event":
            self.kind = value
        elif field == "id" and "\0" not in value:
            self.next_id = value
        elif field == "retry" and re.fullmatch("[0-9]+", value):
            self.retry = min(int(value[:10]), 86_400_000) / 1000
