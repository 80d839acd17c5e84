#!/usr/bin/env python3
"""The client on the command line. Its folder is EVERGRANT_HOME, else ~/.evergrant-python.

    main.py enroll <code> [--server URL]    main.py token [--renew]
    main.py get <path below /api/v1>        main.py logout
"""
import argparse, json, os, sys
from evergrant_agent import Agent, Stopped


def main():
    options = argparse.ArgumentParser(usage=__doc__)
    options.add_argument('command', choices=('enroll', 'token', 'get', 'logout'))
    options.add_argument('argument', nargs='?', default='')
    options.add_argument('--server')
    options.add_argument('--renew', action='store_true')
    given = options.parse_args()
    agent = Agent(os.environ.get('EVERGRANT_HOME') or os.path.expanduser('~/.evergrant-python'))
    try:
        if given.command == 'enroll': agent.enroll(given.argument, given.server)
        if given.command == 'get': print(json.dumps(agent.call('GET', given.argument)))
        elif given.command == 'logout': print(json.dumps(agent.logout()))
        else:
            held = agent.credentials(given.renew)
            print(json.dumps({'installation': held['installation']['id'], 'generation': held['generation']}))
    except (Stopped, OSError) as why:
        sys.exit(f'stopped: {why}')


if __name__ == '__main__':
    main()
