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
import { facebook } from './catalogue/facebook.ts'
import { fitbit } from './catalogue/fitbit.ts'
import { garmin } from './catalogue/garmin.ts'
import { github } from './catalogue/github.ts'
import { githubApp } from './catalogue/github-app.ts'
import { gitlab } from './catalogue/gitlab.ts'
import { google } from './catalogue/google.ts'
import { hubspot } from './catalogue/hubspot.ts'
import { instagram } from './catalogue/instagram.ts'
import { intuit } from './catalogue/intuit.ts'
import { linear } from './catalogue/linear.ts'
import { linkedin } from './catalogue/linkedin.ts'
import { microsoft } from './catalogue/microsoft.ts'
import { netsuite } from './catalogue/netsuite.ts'
import { notion } from './catalogue/notion.ts'
import { oauth2 } from './catalogue/oauth2.ts'
import { oidc } from './catalogue/oidc.ts'
import { okta } from './catalogue/okta.ts'
import { oura } from './catalogue/oura.ts'
import { paypal } from './catalogue/paypal.ts'
import { pinterest } from './catalogue/pinterest.ts'
import { reddit } from './catalogue/reddit.ts'
import { salesforce } from './catalogue/salesforce.ts'
import { shopify } from './catalogue/shopify.ts'
import { slack } from './catalogue/slack.ts'
import { slackRotation } from './catalogue/slack-rotation.ts'
import { smartOnFhir } from './catalogue/smart-on-fhir.ts'
import { spotify } from './catalogue/spotify.ts'
import { square } from './catalogue/square.ts'
import { strava } from './catalogue/strava.ts'
import { stripeApps } from './catalogue/stripe-apps.ts'
import { stripeConnect } from './catalogue/stripe-connect.ts'
import { tiktok } from './catalogue/tiktok.ts'
import { tiktokBusiness } from './catalogue/tiktok-business.ts'
import { twitch } from './catalogue/twitch.ts'
import { wahoo } from './catalogue/wahoo.ts'
import { whoop } from './catalogue/whoop.ts'
import { withings } from './catalogue/withings.ts'
import { xTwitter } from './catalogue/x-twitter.ts'
import { xero } from './catalogue/xero.ts'
import { youtube } from './catalogue/youtube.ts'
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
  facebook,
  fitbit,
  garmin,
  github,
  githubApp,
  gitlab,
  google,
  hubspot,
  instagram,
  intuit,
  linear,
  linkedin,
  microsoft,
  netsuite,
  notion,
  okta,
  oura,
  paypal,
  pinterest,
  reddit,
  salesforce,
  shopify,
  slack,
  slackRotation,
  smartOnFhir,
  spotify,
  square,
  strava,
  stripeApps,
  stripeConnect,
  tiktok,
  tiktokBusiness,
  twitch,
  wahoo,
  whoop,
  withings,
  xTwitter,
  xero,
  youtube,
  zoho,
  zoom,
  oidc,
  oauth2,
]
