// Makes two images with a handle between them. Works with the mouse, a finger and the arrow keys.
const makeSlider = (before, after) => {
  const slider = document.createElement('div'), handle = document.createElement('input');
  slider.className = 'slider';
  for (const [source, name] of [[before, 'Before'], [after, 'After']]) {
    slider.append(Object.assign(new Image(), { src: source, alt: name }));
  }
  Object.assign(handle, { type: 'range', min: 0, max: 100, step: 'any', value: 50 });
  handle.setAttribute('aria-label', 'Before, to the left of the line, and after, to its right');
  handle.addEventListener('input', () => slider.style.setProperty('--at', `${handle.value}%`));
  slider.append(handle);
  return slider;
};
