"""A whole handler with Python's standard library: it polls one queue, works, replies. Stop it with Ctrl-C."""
import json, os, sys, time, urllib.error, urllib.request

BASE, TOKEN = os.environ["CAIRN_URL"] + "/v1/default/work/", os.environ["CAIRN_TOKEN"]


class TooManyRequests(Exception):
    reset = "2030-01-01T00:00:00Z"


def screen(subject):
    """Yours. This one scores a name by how much of it is unusual."""
    if subject["name"] == "":
        raise ValueError("a vendor has a name")
    unusual = [letter for letter in subject["name"].lower() if letter not in "aeinorst "]
    return {"risk": round(len(unusual) / len(subject["name"]), 2), "by": "python " + sys.version.split()[0]}


def post(path, body):
    request = urllib.request.Request(BASE + path, json.dumps(body).encode(),
        {"content-type": "application/json", "authorization": "Bearer " + TOKEN})
    with urllib.request.urlopen(request, timeout=40) as answer:
        return json.load(answer)


def reply(task):
    """The one terminal reply of an attempt. Its id names it for ever: sent twice, it counts once."""
    lease = task["data"]["lease"]
    try:
        kind, data = "succeeded", {"output": screen(task["data"]["input"])}
    except TooManyRequests as error:
        kind, data = "failed", {"failure": {"bucket": "rate_limited", "retryAfter": error.reset, "message": str(error), "sideEffect": "none"}}
    except Exception as error:
        kind, data = "failed", {"failure": {"code": type(error).__name__, "message": str(error)[:2000]}}
    return lease["attemptId"], {"specversion": "1.0", "id": lease["attemptId"] + ":end", "source": "/screening/1",
        "type": "cairn.reply." + kind + ".v1", "data": {"lease": lease, **data}}


def deliver(attempt, body):
    """Sends a reply until the server has it: a reply that is lost would be work done twice."""
    while True:
        try:
            return post(attempt + ":reply", body)
        except urllib.error.HTTPError as error:
            if error.code < 500:
                return print("refused:", error.code, error.read().decode(), flush=True)
        except OSError:
            pass
        time.sleep(0.5)


if __name__ == "__main__":
    print("polling", BASE + "screening", flush=True)
    while True:
        try:
            tasks = post("screening:poll", {"max": 1, "waitMs": 30000})["tasks"]
        except OSError as error:  # The server is away, or is being restarted.
            print("no answer:", error, flush=True)
            time.sleep(0.5)
            continue
        for task in tasks:
            attempt, body = reply(task)
            print(task["data"]["step"], body["type"], deliver(attempt, body), flush=True)
