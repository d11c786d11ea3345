// Arrow keys go from tile to tile as they stand on the screen.

interface Spot {
  x: number;
  y: number;
}

// The index of the next spot in the direction of `key`, or -1: the nearest, sideways counting double.
export function next(spots: readonly Spot[], from: number, key: string): number {
  const here = spots[from];
  if (!here) return spots.length ? 0 : -1;
  if (key === "ArrowLeft") return from - 1;
  if (key === "ArrowRight") return from + 1 < spots.length ? from + 1 : -1;
  const ahead = key === "ArrowDown" ? 1 : -1;
  let best = -1;
  let bestCost = Infinity;
  spots.forEach((spot, index) => {
    const way = (spot.y - here.y) * ahead;
    if (way <= 1) return;
    const cost = way + 2 * Math.abs(spot.x - here.x);
    if (cost < bestCost) [best, bestCost] = [index, cost];
  });
  return best;
}

export function moveFocus(root: ParentNode, key: string): void {
  const links = [...root.querySelectorAll<HTMLElement>("[data-equipment]")];
  const spots = links.map((link) => link.getBoundingClientRect()).map((box) => ({ x: box.left, y: box.top }));
  links[next(spots, links.indexOf(document.activeElement as HTMLElement), key)]?.focus();
}
