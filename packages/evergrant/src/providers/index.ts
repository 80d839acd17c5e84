import type { ProviderRecord } from '../core/provider/record.ts'
import { amazonAdsEu } from './catalogue/amazon-ads-eu.ts'
import { amazonAdsFe } from './catalogue/amazon-ads-fe.ts'
import { amazonAdsNa } from './catalogue/amazon-ads-na.ts'
import { atlassian } from './catalogue/atlassian.ts'
import { github } from './catalogue/github.ts'
import { githubApp } from './catalogue/github-app.ts'
import { google } from './catalogue/google.ts'
import { microsoft } from './catalogue/microsoft.ts'
import { oauth2 } from './catalogue/oauth2.ts'
import { oidc } from './catalogue/oidc.ts'
import { okta } from './catalogue/okta.ts'
import { slack } from './catalogue/slack.ts'
import { slackRotation } from './catalogue/slack-rotation.ts'
import { strava } from './catalogue/strava.ts'
import { withings } from './catalogue/withings.ts'
import { xero } from './catalogue/xero.ts'
import { zoom } from './catalogue/zoom.ts'

/** The records that ship with Evergrant. */
export const catalogue: readonly ProviderRecord[] = [
  amazonAdsNa,
  amazonAdsEu,
  amazonAdsFe,
  atlassian,
  github,
  githubApp,
  google,
  microsoft,
  okta,
  slack,
  slackRotation,
  strava,
  withings,
  xero,
  zoom,
  oidc,
  oauth2,
]
