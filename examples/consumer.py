"""A MES in one file: books parts and states of millgate gateways, exactly. Copy and change it.

Messages may come twice, in another order or not at all; the broker, the gateway and this program
may be killed at any moment: `parts` and `state_interval` are right again soon after, because
- an event waits in `inbox` until everything before it in its stream is booked;
- what it books and how far its stream is are one transaction, then the broker gets its PUBACK;
- what is missing is asked for (cmd/replay) when we connect, at a hole, and when a retained message
  knows of newer events. What the gateway itself does not have any more stands in `lost`.
"""

import contextlib
import json
import sqlite3
import sys
import time
from pathlib import Path

from paho.mqtt.client import CallbackAPIVersion, Client

ROOT, CLIENT_ID, CHUNK = "mg/v1", "example-mes", 5000
UNFIT = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
UNFIT += (sqlite3.IntegrityError, sqlite3.InterfaceError, sqlite3.ProgrammingError)
TYPES = ["status", "count"]
TOPICS = [f"{ROOT}/+/+/+/+/{what}" for what in ("evt/status", "evt/count")]
TOPICS += [f"{ROOT}/+/+/+/+/{what}" for what in ("state/status", "state/counters")]
TOPICS += [f"{ROOT}/+/_gateways/+/{what}" for what in ("birth", "health", "reply/+")]


class Books:
    """Everything that was received; its methods run within a transaction of the caller."""

    def __init__(self, client, path):
        self.client, self.db = client, sqlite3.connect(path)
        self.db.executescript(Path(__file__).with_suffix(".sql").read_text("utf-8"))
        self.sql = self.db.execute
        self.asked = {}  # source -> the replay under way

    def book(self, stream, seq, data):
        """Take the effect of the next event of a stream. Put your own MES here."""
        source, epoch, equipment, kind = stream.split()
        order_no = data["order"]["order_no"] if data["order"] else ""
        if kind == "status" and not data["repeat"]:
            row = (source, epoch, seq, equipment, order_no, data["state"], data["since"])
            self.sql("INSERT OR IGNORE INTO state VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        elif kind == "count":
            key, total = (source, epoch, equipment, data["counter"]), data["total"]
            last = "SELECT total FROM booking WHERE (source, epoch, equipment, counter)"
            before = self.sql(f"{last} = (?, ?, ?, ?) ORDER BY seq DESC", key).fetchone()
            quantity = total - before[0] if before else data["delta"]
            row = (*key, seq, order_no, total, quantity)
            self.sql("INSERT OR IGNORE INTO booking VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)

    def advance(self, stream, gone=0):
        """Book what waits, in order, up to the first hole; one below the seq `gone` is lost."""
        at = "SELECT streamseq, booked, known FROM stream WHERE stream = ?"
        last, booked, known = self.sql(at, (stream,)).fetchone()
        waiting = "SELECT streamseq, seq, data FROM inbox WHERE stream = ? AND streamseq > ?"
        for number, seq, data in self.sql(f"{waiting} ORDER BY streamseq", (stream, last)):
            if number > last + 1 and seq > gone:
                break
            if number > last + 1:
                self.sql("INSERT INTO lost VALUES (?, ?, ?)", (stream, last + 1, number - 1))
            self.book(stream, seq, json.loads(data))
            last, booked = number, seq
        row = (last, booked, booked if known <= gone else known, stream)
        self.sql("UPDATE stream SET streamseq = ?, booked = ?, known = ? WHERE stream = ?", row)

    def take_event(self, body):
        """Take an event, or a snapshot: its id is that of the newest event in it."""
        series = f"{body['source']} {body['epoch']}"
        seq = int(body["id"].removesuffix(".state").split("-")[2])
        kind = body["type"].split(".")[-2].replace("counters", "count")
        stream = f"{series} {body['subject'].split('/')[3]} {kind}"
        self.sql("INSERT OR IGNORE INTO stream (stream, series) VALUES (?, ?)", (stream, series))
        self.sql("UPDATE stream SET known = MAX(known, ?) WHERE stream = ?", (seq, stream))
        if "streamseq" in body:
            row = (series, stream, body["streamseq"], seq, json.dumps(body["data"]))
            self.sql("INSERT OR IGNORE INTO inbox VALUES (?, ?, ?, ?, ?)", row)
            self.advance(stream)

    def take_word(self, source, body):
        """Take a birth or a health: all that the gateway has sent is here, or it is asked for."""
        for epoch in [*body.get("previous_epochs", ()), body["epoch"]]:
            series, new = f"{source} {epoch}", "INSERT OR IGNORE INTO series (series, source)"
            self.sql(f"{new} VALUES (?, ?)", (series, source))
        if "sent_seq" in body:
            sent, newest = body["sent_seq"], [body["last_seq"].get(kind, 0) for kind in TYPES]
            row = (sent, max(seq for seq in (0, *newest) if seq <= sent), series)
            self.sql("UPDATE series SET sent = ?, newest = ? WHERE series = ?", row)
        late = "SELECT series, checked FROM late WHERE source = ?"
        for series, checked in self.sql(late, (source,)).fetchmany(1):
            request = {"command_id": f"{CLIENT_ID}-{time.time_ns()}", "epoch": series.split()[1]}
            request |= {"from_seq": checked + 1, "to_seq": checked + CHUNK, "types": TYPES}
            self.asked[source] = request
            topic = ROOT + source.replace("/gateways/", "/_gateways/") + "/cmd/replay"
            self.client.publish(topic, json.dumps(request), qos=1)

    def take_reply(self, source, reply):
        """End a replay when all that it sent is here: what lacks then does not exist any more."""
        asked, final = self.asked.get(source, {}), (None, "OUT_OF_RANGE")
        if asked.get("command_id") != reply["command_id"] or reply.get("error") not in final:
            return
        series, first, upto = f"{source} {asked['epoch']}", asked["from_seq"], reply.get("upto_seq")
        if not reply["accepted"]:  # all of it is gone, or what came before first_seq
            upto = reply["first_seq"] - 1 if reply["first_seq"] > first else 2**62
        here = "SELECT COUNT(*) FROM inbox WHERE series = ? AND seq BETWEEN ? AND ?"
        if self.sql(here, (series, first, upto)).fetchone()[0] >= reply.get("count", 0):
            streams = self.sql("SELECT stream FROM stream WHERE series = ?", (series,))
            for (stream,) in streams.fetchall():
                self.advance(stream, gone=upto)
            row = (upto, upto == asked["to_seq"] or upto + 1 == reply.get("first_seq"), series)
            self.sql("UPDATE series SET checked = ?, suspect = ? WHERE series = ?", row)


def main():
    host, port, path = sys.argv[1:]
    client = Client(CallbackAPIVersion.VERSION2, CLIENT_ID, clean_session=False, manual_ack=True)
    books = Books(client, path)

    def on_connect(*_):
        with books.db:
            books.sql("UPDATE series SET suspect = 1")
        client.subscribe([(topic, 1) for topic in TOPICS])

    def on_message(_client, _user, message):
        try:
            site, level, gateway, kind = message.topic.removeprefix(f"{ROOT}/").split("/")[:4]
            body, source = json.loads(message.payload), f"/{site}/gateways/{gateway}"
            with books.db:
                if level != "_gateways":
                    books.take_event(body)
                elif kind == "reply":
                    books.take_reply(source, body)
                else:
                    books.take_word(source, body)
        except UNFIT as error:
            print(f"not understood: {message.topic}: {error!r}")
        client.ack(message.mid, message.qos)

    client.on_connect, client.on_message = on_connect, on_message
    client.connect_async(host, int(port))
    with contextlib.suppress(KeyboardInterrupt):
        client.loop_forever(retry_first_connection=True)


if __name__ == "__main__":
    main()
