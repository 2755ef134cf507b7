#!/usr/bin/env python3
"""The adapter of a client for Python: here the one in client.py, beside this file. See docs/adapters.md.

    streamgauge check-client --self-test -- python3 adapter.py
    streamgauge check-client -- python3 adapter.py
"""

import json
import sys
import threading

from client import Client

lock = threading.Lock()


def say(ev, **report):
    with lock:
        sys.stdout.write(json.dumps({"ev": ev, **report}) + "\n")
        sys.stdout.flush()


def follow(c):
    conn = c["conn"]
    return Client(
        c["url"], headers=c.get("headers", {}), last_event_id=c.get("last_event_id", ""), retry=c.get("retry_ms", 3000) / 1000,
        on_open=lambda: say("open", conn=conn),
        on_event=lambda kind, data, last: say("event", conn=conn, type=kind, data=data, last_event_id=last),
        on_error=lambda fatal, status, why: say("error", conn=conn, fatal=fatal, status=status, message=why),
    )


say("hello", proto=1, name="client.py", lang="python", profile="sdk-client",
    caps=["retry", "last-event-id", "headers", "open", "multi"],
    policy={"stop_status": [204, 400, 401, 403, 404], "retry_status": [500, 502, 503, 504], "backoff": {"base_ms": 3000, "factor": 1}})
clients = {}
for line in sys.stdin:
    c = json.loads(line)
    if c["cmd"] == "open":
        clients[c["conn"]] = follow(c)
    elif c["cmd"] == "close":
        if c["conn"] in clients:
            clients[c["conn"]].close()
        say("closed", conn=c["conn"])
    elif c["cmd"] == "sync":
        say("sync", seq=c["seq"])
    elif c["cmd"] == "exit":
        break
