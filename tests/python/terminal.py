"""Runs a command on a terminal of its own, as a person would, and prints what it says.

    terminal.py PROMPT COMMAND ARGUMENT...

Every time PROMPT appears, the next line of standard input is typed. Ends as the command ends.
"""

import os
import pty
import sys

prompt, command = sys.argv[1].encode(), sys.argv[2:]
answers = sys.stdin.read().splitlines()
child, terminal = pty.fork()
if child == 0:
    os.execvp(command[0], command)
said, looked = b"", 0
while True:
    try:
        part = os.read(terminal, 4096)
    except OSError:
        break
    if not part:
        break
    said += part
    found = said.find(prompt, looked)
    if found >= 0 and answers:
        looked = found + len(prompt)
        os.write(terminal, answers.pop(0).encode() + b"\n")
_, status = os.waitpid(child, 0)
sys.stdout.buffer.write(said.replace(b"\r\n", b"\n"))
sys.stdout.flush()
sys.exit(os.waitstatus_to_exitcode(status))
