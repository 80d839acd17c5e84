import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'

/** Short, because every page reads it anew. */
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
/** Where only the colours changed, only colours are judged again. */
const OF_COLOURS = ['color-contrast', 'link-in-text-block']

export type Theme = 'light' | 'dark'

/** The system's wish, as pages and their canvases follow it. Colours that are on their way to the other theme are nobody's. */
export async function wear(page: Page, theme: Theme): Promise<void> {
  await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' })
  await page.evaluate(() => {
    for (const each of document.getAnimations()) if (each instanceof CSSTransition) each.finish()
  })
}

/** What axe objects to on the page as it is now, a line each. */
export async function violationsOf(page: Page, what: 'everything' | 'colours'): Promise<readonly string[]> {
  if (!(await page.evaluate(() => 'axe' in window))) await bring(page)
  const runOnly = what === 'everything' ? { type: 'tag', values: RULES } : { type: 'rule', values: OF_COLOURS }
  return page.evaluate(async (only) => {
    const { axe: judge } = window as unknown as {
      axe: { run(place: Document, options: object): Promise<{ violations: { id: string; nodes: { html: string; failureSummary: string }[] }[] }> }
    }
    const found = await judge.run(document, { runOnly: only, resultTypes: ['violations'] })
    return found.violations.map(({ id, nodes }) => `${id}: ${nodes.length} of ${nodes[0]?.html.slice(0, 200)}: ${nodes[0]?.failureSummary}`)
  }, runOnly)
}

/** Through the debugger, which the content policy does not bind. Half a megabyte goes to the browser once: pages that are loaded later have it already. */
async function bring(page: Page): Promise<void> {
  await page.addInitScript(AXE)
  await page.evaluate(`(() => { ${AXE} })()`)
}

/** So many frames a script has to draw anew what it draws for a width: a plot follows its window a frame or two later. */
const FRAMES_TO_FOLLOW = 60

/** What stands out of the window sideways, outermost first; nothing where the page fits. */
export function tooWide(page: Page): Promise<readonly string[]> {
  return page.evaluate(async (frames) => {
    // What scrolls in a box of its own moves nothing but itself.
    const isBoxed = (each: Element): boolean => {
      const { parentElement: above } = each
      return above !== null && above !== document.body && (getComputedStyle(above).overflowX !== 'visible' || isBoxed(above))
    }
    const look = (): readonly string[] => {
      const { clientWidth, scrollWidth } = document.documentElement
      if (scrollWidth <= clientWidth) return []
      const wide = [...document.body.querySelectorAll('*')]
        .filter((each) => each.getBoundingClientRect().right > clientWidth + 1 && !isBoxed(each))
        .slice(0, 3)
        .map((each) => `${each.tagName.toLowerCase()}.${each.className}`)
      // A long word stands out of a box that is itself narrow enough.
      return wide.length === 0 ? ['a word'] : wide
    }
    for (let frame = 0; frame < frames && look().length > 0; frame += 1) await new Promise((drawn) => requestAnimationFrame(drawn))
    return look()
  }, FRAMES_TO_FOLLOW)
}

/** Reports of the content policy, from the browser's own list and from the pages themselves. */
export async function watchPolicy(page: Page, hear: (report: string) => void): Promise<void> {
  await page.exposeFunction('evergrantPolicyReport', hear)
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI, sourceFile }) => {
      const { evergrantPolicyReport: report } = window as unknown as { evergrantPolicyReport(text: string): void }
      report(`${location.pathname}: ${effectiveDirective} refused ${blockedURI} (${sourceFile})`)
    })
  })
  page.on('console', (message) => {
    if (/Content Security Policy/i.test(message.text())) hear(message.text().slice(0, 300))
  })
}
