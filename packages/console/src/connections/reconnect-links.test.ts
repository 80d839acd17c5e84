import { expect, test } from 'vitest'
import { linksOf } from './reconnect-links.ts'

const made = (id: string) => ({ connection_id: id, outcome: 'done', detail: null, url: `https://evergrant.example/connect/${id}` })
const refused = (id: string) => ({ connection_id: id, outcome: 'refused', detail: 'It is disconnected.', url: null })

test('links are one line each, beside the connection that they mend', () => {
  expect(linksOf({ results: [made('con_1'), made('con_2')] })).toEqual({
    text: 'con_1\thttps://evergrant.example/connect/con_1\ncon_2\thttps://evergrant.example/connect/con_2',
    said: 'Copied 2 reconnect links',
  })
})

test('who gets no link is said, with the reason', () => {
  expect(linksOf({ results: [made('con_1'), refused('con_2')] }).said).toBe('Copied 1 reconnect link. 1 refused: It is disconnected.')
})

test('where every one is refused, nothing is said to be copied', () => {
  expect(linksOf({ results: [refused('con_1')] })).toEqual({ text: '', said: 'There was no link to copy. 1 refused: It is disconnected.' })
})
