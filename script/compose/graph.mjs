// How does ffmpeg draw a list of scenes? (the text of a filter graph)
// SPDX-License-Identifier: MIT
import { places } from './plan.mjs';

const BACKGROUND = '0x131a18';
const PLATE = '0x26322e'; // in the place of somebody whose camera is off

const seconds = (value) => value.toFixed(3);

// What a film is made of once: the files in use, the names to be written.
class Cast {
  files = new Map(); // file -> {index, uses}
  names = new Map(); // name -> path of a text file

  constructor(nameFile) {
    this.nameFile = nameFile;
  }

  // The label under which this use of the file is reached.
  use({ file }) {
    if (!this.files.has(file)) this.files.set(file, { index: this.files.size, uses: 0 });
    const entry = this.files.get(file);
    return `v${entry.index}u${entry.uses++}`;
  }

  name(text) {
    if (!this.names.has(text)) this.names.set(text, this.nameFile(text));
    return this.names.get(text);
  }
}

// The name lies in a file of its own: no letter of it can be taken for a part of the graph.
function caption(path, height) {
  const size = Math.max(10, Math.round(height / 18));
  const box = `box=1:boxcolor=0x131a18@0.65:boxborderw=${Math.round(size / 3)}`;
  return `drawtext=textfile='${path}':expansion=none:fontcolor=white:fontsize=${size}:${box}:x=${size}:y=h-th-${size}`;
}

function drawPlace(place, scene, cast, fps) {
  const { width, height, picture, name } = place;
  const length = seconds(scene.to - scene.from);
  const label = caption(cast.name(name), height);
  if (!picture) return `color=c=${PLATE}:s=${width}x${height}:r=${fps}:d=${length},${label}`;
  const from = seconds(Math.max(0, scene.from - picture.start));
  const until = seconds(Math.max(0, scene.to - picture.start));
  const fit = `scale=${width}:${height}:force_original_aspect_ratio=decrease,pad=${width}:${height}:-1:-1:color=${BACKGROUND}`;
  return `[${cast.use(picture)}]trim=start=${from}:end=${until},setpts=PTS-STARTPTS,${fit},setsar=1,${label}`;
}

function drawScene(scene, number, cast, { view, width, height, fps }) {
  const length = seconds(scene.to - scene.from);
  const lines = [`color=c=${BACKGROUND}:s=${width}x${height}:r=${fps}:d=${length},setsar=1[s${number}b0]`];
  const all = places(scene, { view, width, height });
  all.forEach((place, i) => {
    lines.push(`${drawPlace(place, scene, cast, fps)}[s${number}p${i}]`);
    lines.push(`[s${number}b${i}][s${number}p${i}]overlay=${place.x}:${place.y}:eof_action=repeat[s${number}b${i + 1}]`);
  });
  lines.push(`[s${number}b${all.length}]trim=duration=${length},setpts=PTS-STARTPTS,format=yuv420p[s${number}]`);
  return lines;
}

// One decoder per file, whatever the number of scenes it is seen in. Its pictures change size when the sender's line
// does, so they are brought to one size at once; pictures that hold still are repeated.
function drawFile({ index, uses }, { width, height, fps }) {
  const box = `scale=${width}:${height}:force_original_aspect_ratio=decrease:eval=frame,pad=${width}:${height}:-1:-1:color=${BACKGROUND}:eval=frame`;
  const outputs = Array.from({ length: uses }, (_, i) => `[v${index}u${i}]`).join('');
  return `[${index}:v]${box},setsar=1,fps=${fps}:start_time=0,split=${uses}${outputs}`;
}

/** {files, graph}: the inputs in order, and the graph that makes [out] of them. `nameFile(text)` writes a name down. */
export function videoGraph(scenes, options, nameFile) {
  const cast = new Cast(nameFile);
  const lines = scenes.flatMap((scene, i) => drawScene(scene, i, cast, options));
  const inputs = [...cast.files.values()].map((entry) => drawFile(entry, options));
  const parts = scenes.map((_, i) => `[s${i}]`).join('');
  lines.push(`${parts}concat=n=${scenes.length}:v=1:a=0[out]`);
  return { files: [...cast.files.keys()], graph: [...inputs, ...lines].join(';\n') };
}

/** The same for sound: every voice at its time, silence where there is none. */
export function audioGraph(tracks, duration) {
  const silence = `anullsrc=r=48000:cl=stereo:d=${seconds(duration)}[a0]`;
  const voices = tracks.map(({ start }, i) => {
    const whole = 'aresample=48000:async=1:min_hard_comp=0.02:first_pts=0,aformat=channel_layouts=stereo';
    return `[${i}:a]${whole},adelay=${Math.round(start * 1000)}:all=1[a${i + 1}]`;
  });
  const labels = Array.from({ length: tracks.length + 1 }, (_, i) => `[a${i}]`).join('');
  const mix = `${labels}amix=inputs=${tracks.length + 1}:duration=longest:normalize=0,alimiter=limit=0.95:level=0`;
  return [silence, ...voices, `${mix},atrim=duration=${seconds(duration)}[out]`].join(';\n');
}
