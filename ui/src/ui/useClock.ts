import { useSyncExternalStore } from "react";

const SECOND = 1000;

/** One clock for everything on the page that counts on; it ticks while something listens. */
class Clock {
  now = Date.now();
  private timer: ReturnType<typeof setInterval> | undefined;
  private readonly listeners = new Set<() => void>();

  readonly subscribe = (listener: () => void) => {
    this.listeners.add(listener);
    if (this.timer === undefined) {
      this.now = Date.now(); // it has stood still while nothing listened
      this.timer = setInterval(this.tick, SECOND);
    }
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size === 0) {
        clearInterval(this.timer);
        this.timer = undefined;
      }
    };
  };

  private readonly tick = () => {
    this.now = Date.now();
    this.listeners.forEach((listener) => listener());
  };
}

const clock = new Clock();
const still = () => () => undefined;

/** This moment in milliseconds; while `running`, the component is rendered again each second. */
export function useClock(running: boolean): number {
  return useSyncExternalStore(running ? clock.subscribe : still, () => clock.now);
}
