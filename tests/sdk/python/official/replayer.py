"""A provider that answers with recordings, cut as the asker wishes.

A recording is asked for by its model: `NUMBER.CUT`, in the path or in the body, as each provider's API has it; what
stands behind a colon is a version.
"""

import json
import random
import re
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

CUTS = ("whole", "random", "bytes")


def pieces(body, cut):
    """The bytes of an answer, packet by packet."""
    if cut == "bytes":
        return [body[at : at + 1] for at in range(len(body))]
    if cut == "random":
        dice, found, at = random.Random(len(body)), [], 0
        while at < len(body):
            size = dice.randint(1, 200)
            found.append(body[at : at + size])
            at += size
        return found
    return [body]


class Replayer:
    """Serves answers on a port of its own: whatever has `status`, `headers` and `body`. Keeps what it was asked."""

    def __init__(self):
        self.answers, self.asked = [], []
        answers, asked = self.answers, self.asked

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = 0

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                asked.append((self.path, dict(self.headers), body))
                number, cut = wanted(self.path, json.loads(body)).partition(":")[0].split(".")
                answer = answers[int(number)]
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("transfer-encoding", "chunked")
                self.end_headers()
                for piece in pieces(answer.body, cut):
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                self.wfile.write(b"0\r\n\r\n")

            def log_message(self, *_):
                pass

        self.server = Quiet(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        Thread(target=self.server.serve_forever, daemon=True).start()

    def add(self, answer):
        """Keeps an answer; gives the number that it is asked by."""
        self.answers.append(answer)
        return len(self.answers) - 1

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """Readers may leave in the middle of an answer that they find broken."""


def wanted(path, body):
    """The model of a request: Bedrock has it in the path, the others in the body."""
    in_path = re.fullmatch(r".*/model/([^/]+)/[a-z-]+", path)
    return urllib.parse.unquote(in_path[1]) if in_path else body["model"]
