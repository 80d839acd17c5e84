import { expect, test } from 'vitest'
import type { NodeReport } from '../refresh/nodes.ts'
import { AddressWatch } from './address-watch.ts'

const OWN = 'https://one.example.com'

function watched(kind: 'server' | 'command' = 'server') {
  const said: string[] = []
  const hear = (_: object, text: string) => void said.push(text)
  return { said, watch: new AddressWatch({ node: { id: 'here' }, about: { kind, publicUrl: OWN }, log: { info: hear, warn: hear } }) }
}

function node(id: string, publicUrl: string, more: Partial<NodeReport> = {}): NodeReport {
  const about = { kind: 'server', publicUrl } as const
  return { id, incarnation: id, startedAt: 0, heartbeatAt: 0, draining: false, alive: true, keyring: null, about, ...more }
}

test('a live node with another public URL is named once, with both addresses and the remedy, and its end is told', () => {
  const { said, watch } = watched()
  const other = node('there', 'https://two.example.com')
  watch.look([node('here', OWN)])
  expect(said).toEqual([])
  watch.look([node('here', OWN), other])
  watch.look([node('here', OWN), other])
  expect(said).toEqual([
    expect.stringMatching(
      /public URL https:\/\/one\.example\.com, and node there has https:\/\/two\.example\.com.*Set the same EVERGRANT_PUBLIC_URL on every node/,
    ),
  ])
  watch.look([node('here', OWN), { ...other, alive: false }])
  expect(said.slice(1)).toEqual(['every live node has this public URL again'])
})

test('a command serves nobody, so its address is no concern of a node, nor theirs of it', () => {
  const { said, watch } = watched()
  watch.look([node('cli', '', { about: { kind: 'command', publicUrl: 'http://localhost:8080' } }), node('old', '', { about: null })])
  const command = watched('command')
  command.watch.look([node('there', 'https://two.example.com')])
  expect([...said, ...command.said]).toEqual([])
})
