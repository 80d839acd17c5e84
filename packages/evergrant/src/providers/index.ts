import type { ProviderRecord } from '../core/provider/record.ts'
import { airtable } from './catalogue/airtable.ts'
import { amazonAdsEu } from './catalogue/amazon-ads-eu.ts'
import { amazonAdsFe } from './catalogue/amazon-ads-fe.ts'
import { amazonAdsNa } from './catalogue/amazon-ads-na.ts'
import { amazonSpApi } from './catalogue/amazon-sp-api.ts'
import { asana } from './catalogue/asana.ts'
import { atlassian } from './catalogue/atlassian.ts'
import { box } from './catalogue/box.ts'
import { coros } from './catalogue/coros.ts'
import { discord } from './catalogue/discord.ts'
import { dropbox } from './catalogue/dropbox.ts'
import { fitbit } from './catalogue/fitbit.ts'
import { garmin } from './catalogue/garmin.ts'
import { github } from './catalogue/github.ts'
import { githubApp } from './catalogue/github-app.ts'
import { gitlab } from './catalogue/gitlab.ts'
import { google } from './catalogue/google.ts'
import { hubspot } from './catalogue/hubspot.ts'
import { linear } from './catalogue/linear.ts'
import { microsoft } from './catalogue/microsoft.ts'
import { netsuite } from './catalogue/netsuite.ts'
import { notion } from './catalogue/notion.ts'
import { oauth2 } from './catalogue/oauth2.ts'
import { oidc } from './catalogue/oidc.ts'
import { okta } from './catalogue/okta.ts'
import { oura } from './catalogue/oura.ts'
import { reddit } from './catalogue/reddit.ts'
import { slack } from './catalogue/slack.ts'
import { slackRotation } from './catalogue/slack-rotation.ts'
import { smartOnFhir } from './catalogue/smart-on-fhir.ts'
import { spotify } from './catalogue/spotify.ts'
import { strava } from './catalogue/strava.ts'
import { twitch } from './catalogue/twitch.ts'
import { wahoo } from './catalogue/wahoo.ts'
import { whoop } from './catalogue/whoop.ts'
import { withings } from './catalogue/withings.ts'
import { xero } from './catalogue/xero.ts'
import { zoho } from './catalogue/zoho.ts'
import { zoom } from './catalogue/zoom.ts'

/** The records that ship with Evergrant. */
export const catalogue: readonly ProviderRecord[] = [
  amazonAdsNa,
  amazonAdsEu,
  amazonAdsFe,
  airtable,
  amazonSpApi,
  asana,
  atlassian,
  box,
  coros,
  discord,
  dropbox,
  fitbit,
  garmin,
  github,
  githubApp,
  gitlab,
  google,
  hubspot,
  linear,
  microsoft,
  netsuite,
  notion,
  okta,
  oura,
  reddit,
  slack,
  slackRotation,
  smartOnFhir,
  spotify,
  strava,
  twitch,
  wahoo,
  whoop,
  withings,
  xero,
  zoho,
  zoom,
  oidc,
  oauth2,
]
