import type { Browser, Page } from 'playwright-core'

/** What the application's return URL was called with. */
interface Returned {
  readonly session: string
  readonly code: string
}

interface Journey {
  /** The link of a connect session. */
  readonly link: string
  readonly returnUrl: string
  /** Answers the provider's page. */
  readonly consent: (page: Page) => Promise<void>
}

/** A person follows a connect link in a browser of their own, continues, consents, and comes back to the application. */
export async function followLink(browser: Browser, { link, returnUrl, consent }: Journey): Promise<Returned> {
  const context = await browser.newContext()
  try {
    const page = await context.newPage()
    await page.goto(link)
    await page.click('button.primary')
    await consent(page)
    await page.waitForURL((url) => url.href.startsWith(returnUrl))
    const { searchParams } = new URL(page.url())
    return { session: searchParams.get('session') ?? '', code: searchParams.get('code') ?? '' }
  } finally {
    await context.close()
  }
}
