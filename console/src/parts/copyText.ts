// SPDX-License-Identifier: Apache-2.0
/** Puts a text into the clipboard, also where the browser has none for pages without TLS. */
export async function copyText(text: string): Promise<boolean> {
  // Absent outside of secure contexts, whatever the types say.
  const clipboard = navigator.clipboard as Clipboard | undefined;
  if (clipboard) {
    try {
      await clipboard.writeText(text);
      return true;
    } catch {
      // Not allowed: the old way may be.
    }
  }
  const field = document.createElement('textarea');
  field.value = text;
  field.className = 'copy-field';
  field.setAttribute('readonly', '');
  // Within a dialog: outside of it the focus would be taken back.
  const place = document.querySelector('[role="dialog"]') ?? document.body;
  const before = document.activeElement;
  place.append(field);
  field.select();
  try {
    return document.execCommand('copy');
  } catch {
    return false;
  } finally {
    field.remove();
    if (before instanceof HTMLElement) before.focus();
  }
}
