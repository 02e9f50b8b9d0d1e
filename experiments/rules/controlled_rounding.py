"""How many animals of each group go to each arm: whole numbers that keep every proportion and total within one.

The groups are nested: all animals, their strata, strata within strata, blocks. In a group of m animals, arm a with
weight w_a of W expects m·w_a/W. Those expectations are a flow through a network (one tree of groups an arm, joined in the
smallest groups); where a flow is not whole, a closed path of such flows exists, and one step moves all of it up or down
by the smallest amount that makes one flow whole. Up and down are drawn with probabilities that leave each expectation as
it is. So each count is the expectation rounded down or up, in every group, and its mean over draws is the expectation:
each animal has probability w_a/W of arm a.

Cox 1987, J Am Stat Assoc 82:520-524 (a table); the network for nested groups: Causey, Cox & Ernst 1985, J Am Stat Assoc
80:903-909. Groups that cross (litters over cages) cannot all be kept, as the latter shows; nested ones always can.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import gcd, lcm

from experiments.rules.random_stream import RandomStream


@dataclass(slots=True)
class Group:
    """Animals that are kept in proportion: `size` of them, divided over `children` (none in a smallest group)."""

    size: int
    children: list["Group"] = field(default_factory=list)


@dataclass(slots=True)
class _Edge:
    """A flow in units of 1/W from `tail` to `head`."""

    tail: int
    head: int
    flow: int


class _Network:
    """Flows from one source through an arm's tree of groups to the smallest groups."""

    def __init__(self, weights: Sequence[int]) -> None:
        self.weights, self.total = weights, sum(weights)
        self.edges: list[_Edge] = []
        self.at: list[list[int]] = [[]]  # at each node, the edges that are not whole; node 0 is the source
        self.leaves: list[tuple[Group, list[int]]] = []

    def node(self) -> int:
        self.at.append([])
        return len(self.at) - 1

    def edge(self, tail: int, head: int, flow: int) -> int:
        self.edges.append(_Edge(tail, head, flow))
        place = len(self.edges) - 1
        if not self.is_whole(place):
            self.at[tail].append(place)
            self.at[head].append(place)
        return place

    def grow(self, group: Group, parents: Sequence[int]) -> None:
        """Adds a group: one node an arm under the parent's, or, for a smallest group, one node for all arms."""
        heads = [self.node() for _ in self.weights] if group.children else [self.node()] * len(self.weights)
        edges = [
            self.edge(parent, head, group.size * weight)
            for parent, head, weight in zip(parents, heads, self.weights, strict=True)
        ]
        if not group.children:
            self.leaves.append((group, edges))
        for child in group.children:
            self.grow(child, heads)

    def is_whole(self, place: int) -> bool:
        return self.edges[place].flow % self.total == 0

    def closed_path(self, first: int) -> list[tuple[int, int]]:
        """Edges that are not whole, each with +1 (along it) or -1, from a node back to itself.

        Flows in and out of a node sum to a whole number, so no node has one such edge only and the walk never ends.
        """
        node, came_by = self.edges[first].tail, -1
        seen: dict[int, int] = {}
        path: list[tuple[int, int]] = []
        while node not in seen:
            seen[node] = len(path)
            place = next(place for place in self.at[node] if place != came_by)
            edge = self.edges[place]
            along = edge.tail == node
            path.append((place, 1 if along else -1))
            node, came_by = (edge.head if along else edge.tail), place
        return path[seen[node] :]

    def move(self, path: Sequence[tuple[int, int]], stream: RandomStream) -> None:
        """One step: the flows along the path rise or fall until one of them is whole."""
        parts = [(self.edges[place].flow % self.total, sign) for place, sign in path]
        up = min(self.total - part if sign > 0 else part for part, sign in parts)
        down = min(part if sign > 0 else self.total - part for part, sign in parts)
        amount = drawn_amount(up, down, stream)
        for place, sign in path:
            edge = self.edges[place]
            edge.flow += sign * amount
            if self.is_whole(place):
                self.at[edge.tail].remove(place)
                self.at[edge.head].remove(place)


def drawn_amount(up: int, down: int, stream: RandomStream) -> int:
    """`up` with probability down / (up + down), else -`down`: 0 on average."""
    return up if stream.below(up + down) < down else -down


def rounded_counts(root: Group, weights: Sequence[int], stream: RandomStream) -> list[tuple[int, ...]]:
    """Animals of each smallest group in each arm, groups in the order of the tree from left to right.

    `weights` are whole numbers, one an arm; sizes of children sum to their parent's. Each count, and each of its sums
    over a group of the tree, is the group's size times the arm's weight over all weights, rounded down or up.
    """
    network = _Network(weights)
    network.grow(root, [0] * len(weights))
    for place in range(len(network.edges)):
        while not network.is_whole(place):
            network.move(network.closed_path(place), stream)
    return [tuple(network.edges[place].flow // network.total for place in edges) for _, edges in network.leaves]


def whole_weights(shares: Sequence[Fraction]) -> tuple[int, ...]:
    """The smallest whole numbers in the proportion of the shares."""
    scale = lcm(*(share.denominator for share in shares))
    numbers = [int(share * scale) for share in shares]
    common = gcd(*numbers)
    return tuple(number // common for number in numbers)
