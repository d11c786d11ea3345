// A sound on a new fault: off until somebody wants it; this browser remembers. Only while the page is open.

import { ref } from "vue";

const KEY = "sound";
const REST_MS = 3000; // a flood of faults is one sound
const TONES: readonly [number, number][] = [[880, 0], [660, 0.18]]; // Hz, seconds from now
const LENGTH_S = 0.16;
const BUZZ_MS = 200;

export const sound = ref(localStorage.getItem(KEY) === "on");
export const muted = ref(false); // wanted, but the browser waits for a press first
let context: AudioContext | null = null;
let lastMs = -REST_MS;

export function setSound(on: boolean): void {
  sound.value = on;
  localStorage.setItem(KEY, on ? "on" : "off");
  if (on) chime();
  else muted.value = false;
}

export function chime(): void {
  const nowMs = performance.now();
  if (!sound.value || nowMs - lastMs < REST_MS) return;
  lastMs = nowMs;
  navigator.vibrate?.(BUZZ_MS);
  void play();
}

async function play(): Promise<void> {
  context ??= new AudioContext();
  const heard = context;
  // Without a press on the page since it was loaded this stays pending, and nothing is heard.
  muted.value = heard.state === "suspended";
  await heard.resume();
  muted.value = false;
  for (const [hertz, after] of TONES) {
    const tone = heard.createOscillator();
    const volume = heard.createGain();
    tone.frequency.value = hertz;
    volume.gain.setValueAtTime(0.25, heard.currentTime + after);
    volume.gain.exponentialRampToValueAtTime(0.001, heard.currentTime + after + LENGTH_S);
    tone.connect(volume).connect(heard.destination);
    tone.start(heard.currentTime + after);
    tone.stop(heard.currentTime + after + LENGTH_S);
  }
}
