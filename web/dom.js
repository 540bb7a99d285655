// How is an element made in one line, with its translated text?
// SPDX-License-Identifier: MIT
import { t } from './i18n.js';

/** Gives an element a text that follows the language. */
export function setText(element, key, params) {
  element.dataset.t = key;
  element.dataset.tParams = params ? JSON.stringify(params) : '';
  element.textContent = t(key, params);
}

/** The same for what screen readers say and the pointer shows. */
export function setLabel(element, key, params) {
  element.dataset.tLabel = key;
  element.dataset.tLabelParams = params ? JSON.stringify(params) : '';
  const text = t(key, params);
  element.setAttribute('aria-label', text);
  if (element.matches('button, a')) element.title = text;
}

/**
 * h('button', {class: 'x', t: 'leave', label: 'leaveLabel', on: {click}}, child, ...). `t` and `label` are keys of
 * i18n; anything else is an attribute, left out when false, null or undefined. Text children are never parsed as
 * HTML.
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name === 'on') for (const [type, listener] of Object.entries(value)) element.addEventListener(type, listener);
    else if (name === 't') setText(element, value);
    else if (name === 'label') setLabel(element, value);
    else if (name === 'placeholder') {
      element.dataset.tPlaceholder = value;
      element.placeholder = t(value);
    } else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(name, value === true ? '' : value);
    }
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Says everything below `root` again, in the language of now. */
export function translate(root) {
  const parse = (text) => (text ? JSON.parse(text) : undefined);
  for (const one of root.querySelectorAll('[data-t]')) setText(one, one.dataset.t, parse(one.dataset.tParams));
  for (const one of root.querySelectorAll('[data-t-label]')) {
    setLabel(one, one.dataset.tLabel, parse(one.dataset.tLabelParams));
  }
  for (const one of root.querySelectorAll('[data-t-placeholder]')) one.placeholder = t(one.dataset.tPlaceholder);
}
