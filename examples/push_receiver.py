"""A receiver of pushed facts to copy: verifies, deduplicates, answers when it is safe.

    python push_receiver.py secret.txt mes.db 8099

1. Refuse what is not signed with our secret, or was signed long ago.
2. Keep facts and their ids in one transaction, so that a repetition books nothing.
3. Answer 204 after the commit, never before: what is not answered comes again.
"""

import hashlib
import hmac
import json
import sqlite3
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

MAX_AGE_S = 300
MAX_BYTES = 4 * 1024 * 1024


def is_genuine(key, headers, body):
    stamp = headers.get("Millgate-Timestamp", "")
    if not stamp.isdecimal() or abs(time.time() - int(stamp)) > MAX_AGE_S:
        return False
    mac = hmac.new(key, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(headers.get("Millgate-Signature", ""), "sha256=" + mac)


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        length = int(self.headers.get("Content-Length") or 0)
        if length > MAX_BYTES:
            return self.answer(413)
        body = self.rfile.read(length)
        if not is_genuine(self.server.key, self.headers, body):
            return self.answer(401)
        facts = [(e["source"], e["id"], e["type"], json.dumps(e)) for e in json.loads(body)]
        with self.server.db as db:  # one transaction
            db.executemany("INSERT OR IGNORE INTO fact VALUES (?, ?, ?, ?)", facts)
        return self.answer(204)

    def answer(self, status):
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()


if __name__ == "__main__":
    server = HTTPServer(("127.0.0.1", int(sys.argv[3])), Receiver)
    server.key = Path(sys.argv[1]).read_text("utf-8").splitlines()[0].strip().encode()
    server.db = sqlite3.connect(sys.argv[2])
    server.db.execute(
        "CREATE TABLE IF NOT EXISTS fact (source, id, type, fact, PRIMARY KEY (source, id))"
    )
    print(server.server_port, flush=True)
    server.serve_forever()
