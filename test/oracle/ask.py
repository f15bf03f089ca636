"""Runs ansible's own commands in a fork of one process that has imported them: a request a line on stdin, an answer a
line on stdout. Starting Python and Ansible anew for each of some thousand questions would take half an hour."""
import json
import os
import sys
import tempfile

from ansible.cli.adhoc import AdHocCLI
from ansible.cli.inventory import InventoryCLI

COMMANDS = {'ansible-inventory': InventoryCLI, 'ansible': AdHocCLI}


def run(argv, cwd):
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        pid = os.fork()
        if pid == 0:
            os.chdir(cwd)
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            try:
                COMMANDS[argv[0]].cli_executor(argv)
                code = 0
            except SystemExit as end:
                code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
        _, status = os.waitpid(pid, 0)
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode('utf8', 'replace'))
        return {'code': os.waitstatus_to_exitcode(status), 'stdout': texts[0], 'stderr': texts[1]}


for line in sys.stdin:
    request = json.loads(line)
    print(json.dumps(run(request['argv'], request['cwd'])), flush=True)
