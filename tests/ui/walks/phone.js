// Narrow screens, slow lines and lines that break: what somebody meets who is not at a desk.

import assert from 'node:assert/strict';
import { settled, theAdmin, walk } from '../lib/stage.js';

/** The page under the academy's other name. */
const renamed = (page, name) => page.route('**/api/auth/me', async (route) => {
  const response = await route.fetch();
  const me = await response.json();
  await route.fulfill({ response, json: { ...me, academy: { ...me.academy, name } } });
});

walk('the menu of an academy with a long name opens within the screen', async (t, open) => {
  for (const [width, lang, larger] of [[320, 'en'], [360, 'ar'], [320, 'ar', 1.5], [320, 'en', 2]]) {
    const page = await open({ who: theAdmin(), path: '', size: { width, height: 640 }, lang });
    await renamed(page, 'Bright Minds Online Academy XY');
    await page.goto('/admin/packages');
    await settled(page);
    if (larger) await page.evaluate((times) => (document.documentElement.style.fontSize = `${16 * times}px`), larger);
    await page.locator('.menu summary').tap();
    const { x, width: wide } = await page.locator('.menu > div').boundingBox();
    assert.ok(x >= 0 && x + wide <= width, `${lang}, text of ${larger ?? 1}: ${x} to ${x + wide} of ${width}`);
    await page.context().close();
  }
});
