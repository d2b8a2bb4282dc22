#!/usr/bin/env python3
"""Stands in for the model behind codex: the Responses API on 127.0.0.1, by a script.

    responses.py SCRIPT LOG READY

SCRIPT is a JSON list of rules [{"match": REGEX, "steps": [STEP, ...]}]; the first whose regex is found in the prompt
answers. Each request is a line of LOG; the port is written to READY once the socket listens.

A step is one of
    {"shell": COMMAND}   codex runs it and asks again
    {"patch": PATCH}     codex applies it and asks again
    {"say": TEXT}        the final message
    {"status": N, "error": {...}, "headers": {...}}
    {"hang": true}       headers never come
"""
import hashlib
import json
import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

script = json.loads(Path(sys.argv[1]).read_text())
log, ready = Path(sys.argv[2]), Path(sys.argv[3])
writing = threading.Lock()

# How the user messages begin that codex adds to the prompt.
ADDED = ("<environment_context>", "# AGENTS.md instructions", "<user_instructions>")


def text_of(item):
    content = item.get("content") or ""
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


def read(items):
    """The prompt, and how many tools answered since."""
    prompt, answers = "", 0
    for item in items:
        if item.get("role") == "user" and not text_of(item).startswith(ADDED):
            prompt, answers = text_of(item), 0
        elif str(item.get("type", "")).endswith("call_output"):
            answers += 1
    return prompt, answers


def output(step, tools, number):
    """A step as the model's output item."""
    if "say" in step:
        content = [{"type": "output_text", "text": step["say"]}]
        return {"type": "message", "id": f"msg_{number}", "role": "assistant", "content": content}
    if "patch" in step and "apply_patch" in tools:
        return {"type": "custom_tool_call", "id": f"ctc_{number}", "call_id": f"call_{number}",
                "name": "apply_patch", "input": step["patch"]}
    # Where there is no such tool, codex takes this command for the patch that it is.
    command = step.get("shell") or f"apply_patch <<'PATCH'\n{step['patch']}\nPATCH"
    return {"type": "function_call", "id": f"fc_{number}", "call_id": f"call_{number}",
            "name": "exec_command", "arguments": json.dumps({"cmd": command, "yield_time_ms": 30000})}


class Model(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.whole(200, {"data": [], "models": []})

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        prompt, answers = read(request["input"])
        self.note({
            "prompt": prompt if len(prompt) < 4096 else None,
            "sha256": hashlib.sha256(prompt.encode()).hexdigest(),
            "model": request["model"], "effort": (request.get("reasoning") or {}).get("effort"),
            "answers": answers})
        steps = next((rule["steps"] for rule in script if re.search(rule["match"], prompt)), None)
        if steps is None:
            return self.whole(400, {"error": {"message": "no rule for this prompt"}})
        step = steps[min(answers, len(steps) - 1)]
        if "status" in step:
            return self.whole(step["status"], {"error": step.get("error", {"message": "scripted"})}, step.get("headers"))
        if "hang" in step:
            # Until codex leaves.
            self.rfile.read(1)
            self.close_connection = True
            return None
        tools = [tool.get("name") for tool in request.get("tools", [])]
        return self.stream(output(step, tools, answers))

    def note(self, line):
        with writing, log.open("a") as file:
            file.write(json.dumps(line) + "\n")

    def whole(self, status, body, headers=None):
        data = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {**(headers or {}), "content-type": "application/json", "content-length": len(data)}.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(data)

    def stream(self, item):
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        usage = {"input_tokens": 100, "output_tokens": 20, "total_tokens": 120}
        self.event("response.created", response={"id": "resp"})
        self.event("response.output_item.done", output_index=0, item=item)
        self.event("response.completed", response={"id": "resp", "output": [], "usage": usage})
        self.close_connection = True

    def event(self, kind, **fields):
        self.wfile.write(f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode())


class Server(ThreadingHTTPServer):
    daemon_threads = True


server = Server(("127.0.0.1", 0), Model)
half = ready.with_suffix(".half")
half.write_text(str(server.server_port))
half.rename(ready)
server.serve_forever()
