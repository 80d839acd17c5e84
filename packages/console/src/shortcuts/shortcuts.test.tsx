// @vitest-environment happy-dom
import { cleanup, render } from '@testing-library/react'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { prefer } from '../preferences/preferences.ts'
import { listenForShortcuts, useShortcuts } from './shortcuts.ts'

let pressed: string[] = []
let end: () => void

function Keys() {
  useShortcuts('Test', [
    { keys: 'j', text: 'Next', run: () => pressed.push('j') },
    { keys: 'g c', text: 'Connections', run: () => pressed.push('g c') },
    { keys: 'Mod+k', text: 'Search', run: () => pressed.push('Mod+k') },
    { keys: 'Shift+?', text: 'Sheet', run: () => pressed.push('Shift+?') },
  ])
  return (
    <>
      <input aria-label="Text" />
      <button type="button">Press</button>
    </>
  )
}

const press = (key: string, on: EventTarget = document.body, more: KeyboardEventInit = {}) =>
  on.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...more }))

beforeEach(() => {
  pressed = []
  prefer({ shortcuts: true })
  end = listenForShortcuts()
  render(<Keys />)
})
afterEach(() => {
  end()
  cleanup()
})

test('one letter, two after each other, and one with Ctrl', () => {
  press('j')
  press('g')
  press('c')
  press('k', document.body, { ctrlKey: true })
  press('?', document.body, { shiftKey: true })
  expect(pressed).toEqual(['j', 'g c', 'Mod+k', 'Shift+?'])
})

test('letters that are typed into a field are letters', () => {
  press('j', document.querySelector('input') as HTMLElement)
  expect(pressed).toEqual([])
})

test('switched off, only keys with Ctrl or Cmd work', () => {
  prefer({ shortcuts: false })
  press('j')
  press('k', document.body, { metaKey: true })
  expect(pressed).toEqual(['Mod+k'])
})

test('with a modifier that belongs to the browser, a letter does nothing', () => {
  press('j', document.body, { altKey: true })
  expect(pressed).toEqual([])
})
