"""scratch"""
from __future__ import annotations
import signal, time, os
import pytest
from tests.contract.application import Stack
pytestmark = [pytest.mark.xdist_group("contract"), pytest.mark.parametrize("stack", ["serverless"], indirect=True)]

def show(stack, w, what):
    with stack.valkey.client() as c: print("==", what, "waiting", [c.llen(stack.key("celery"))], "unacked", stack.unacknowledged(), "alive", w.process.poll())

@pytest.mark.parametrize("remap", ["SIGQUIT", ""])
@pytest.mark.parametrize("ends", [True, False])
def test_x(stack: Stack, ends, remap) -> None:
    print("#### remap", remap, "ends", ends)
    if not stack.machine.running: stack.api()
    w = stack.worker("soft_shutdown_timeout=3", REMAP_SIGTERM=remap)
    w.wait_for_words("ready.")
    name=f"slow-{ends}-{remap}"
    with stack.database() as c:
        c.execute("insert into documents values (%s, '[1,2,3]')", (name,))
        t = stack.remember(name, 1, 1, 1)
        t2 = stack.remember(name, 1, 1, 1)
        t3 = stack.remember(name, 1, 1, 1)
        w.wait_for(lambda: stack.unacknowledged() >= 2)
        time.sleep(.3)
        show(stack, w, "before")
        w.process.send_signal(signal.SIGTERM)
        time.sleep(.5)
        if ends: c.rollback()
        time.sleep(1)
        show(stack, w, "1.5 s after TERM"); print("result", stack.result(t), stack.result(t2), stack.result(t3))
        time.sleep(3)
        show(stack, w, "4.5 s after TERM"); print("result", stack.result(t))
        if not ends:
            c.rollback()
    time.sleep(1)
    if w.process.poll() is None: w.process.kill()
    show(stack, w, "end"); print("result", stack.result(t), stack.result(t2), stack.result(t3))
    print(w.said()[-2500:])
    stack.valkey.clear()
