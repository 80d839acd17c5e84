import { describe, expect, test } from 'vitest'
import { streamParser } from './stream-reader.ts'

describe('messages of the stream', () => {
  test('a message may come in any pieces', () => {
    const parse = streamParser()
    const text = 'id: 7\nevent: connection\ndata: {"id":"con_1"}\n\n'
    const messages = [...text].flatMap((sign) => parse(sign))
    expect(messages).toEqual([{ id: '7', event: 'connection', data: '{"id":"con_1"}' }])
  })

  test('lines that begin with a colon keep the connection open and say nothing', () => {
    expect(streamParser()(': still here\n\n')).toEqual([])
  })

  test('data of several lines is one text, and carriage returns are no part of it', () => {
    expect(streamParser()('event: event\r\ndata: {\r\ndata: }\r\n\r\n')).toEqual([{ id: null, event: 'event', data: '{\n}' }])
  })
})
