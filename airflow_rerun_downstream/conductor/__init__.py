"""What moves reruns forward: decide (pure), perform (one transaction a step), tick, loop."""
