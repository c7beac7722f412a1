//! `std::sort` of libstdc++ (`bits/stl_algo.h`), step by step.
//!
//! VW sorts scores that may not be numbers, with a comparison that is then no order: where
//! such an element ends up depends on the algorithm. Where C++ would read outside of the
//! array, the search stops at its end.

/// So many elements are sorted by insertion.
const THRESHOLD: usize = 16;

/// Sorts by `less` as `std::sort` does.
pub(crate) fn sort_by<T: Copy>(items: &mut [T], less: impl Fn(&T, &T) -> bool) {
    let mut sorter = Sorter { items, less };
    let length = sorter.items.len();
    if length > THRESHOLD {
        sorter.introsort(0, length, 2 * length.ilog2());
        sorter.insertion_sort(0, THRESHOLD);
        (THRESHOLD..length).for_each(|position| sorter.insert(position));
    } else {
        sorter.insertion_sort(0, length);
    }
}

struct Sorter<'a, T, L> {
    items: &'a mut [T],
    less: L,
}

impl<T: Copy, L: Fn(&T, &T) -> bool> Sorter<'_, T, L> {
    fn is_less(&self, a: usize, b: usize) -> bool {
        (self.less)(&self.items[a], &self.items[b])
    }

    /// `__introsort_loop`
    fn introsort(&mut self, first: usize, mut last: usize, mut depth: u32) {
        while last - first > THRESHOLD {
            if depth == 0 {
                return self.heap_sort(first, last);
            }
            depth -= 1;
            let cut = self.partition(first, last);
            self.introsort(cut, last, depth);
            last = cut;
        }
    }

    /// `__unguarded_partition_pivot`
    fn partition(&mut self, first: usize, last: usize) -> usize {
        self.move_median(first, first + 1, first + (last - first) / 2, last - 1);
        let pivot = first;
        let (mut low, mut high) = (first + 1, last);
        loop {
            while low + 1 < self.items.len() && self.is_less(low, pivot) {
                low += 1;
            }
            high -= 1;
            while high > 0 && self.is_less(pivot, high) {
                high -= 1;
            }
            if low >= high {
                return low.min(last);
            }
            self.items.swap(low, high);
            low += 1;
        }
    }

    /// `__move_median_to_first`
    fn move_median(&mut self, result: usize, a: usize, b: usize, c: usize) {
        let median = if self.is_less(a, b) {
            if self.is_less(b, c) {
                b
            } else if self.is_less(a, c) {
                c
            } else {
                a
            }
        } else if self.is_less(a, c) {
            a
        } else if self.is_less(b, c) {
            c
        } else {
            b
        };
        self.items.swap(result, median);
    }

    /// `__insertion_sort`: an element below the first goes to the front, past all others.
    fn insertion_sort(&mut self, first: usize, last: usize) {
        for position in first + 1..last {
            if self.is_less(position, first) {
                self.items[first..=position].rotate_right(1);
            } else {
                self.insert(position);
            }
        }
    }

    /// `__unguarded_linear_insert`
    fn insert(&mut self, position: usize) {
        let item = self.items[position];
        let above = |other: &&T| (self.less)(&item, other);
        let shift = self.items[..position].iter().rev().take_while(above).count();
        self.items[position - shift..=position].rotate_right(1);
    }

    /// `__make_heap` and `__sort_heap`
    fn heap_sort(&mut self, first: usize, last: usize) {
        let length = last - first;
        for parent in (0..=(length - 2) / 2).rev() {
            self.adjust_heap(first, parent, length, self.items[first + parent]);
        }
        for end in (1..length).rev() {
            let item = self.items[first + end];
            self.items[first + end] = self.items[first];
            self.adjust_heap(first, 0, end, item);
        }
    }

    /// `__adjust_heap` and `__push_heap`
    fn adjust_heap(&mut self, first: usize, top: usize, length: usize, item: T) {
        let (mut hole, mut child) = (top, top);
        while child < (length - 1) / 2 {
            child = 2 * (child + 1);
            if self.is_less(first + child, first + child - 1) {
                child -= 1;
            }
            self.items[first + hole] = self.items[first + child];
            hole = child;
        }
        if length.is_multiple_of(2) && length >= 2 && child == (length - 2) / 2 {
            child = 2 * (child + 1);
            self.items[first + hole] = self.items[first + child - 1];
            hole = child - 1;
        }
        while hole > top {
            let parent = (hole - 1) / 2;
            if !(self.less)(&self.items[first + parent], &item) {
                break;
            }
            self.items[first + hole] = self.items[first + parent];
            hole = parent;
        }
        self.items[first + hole] = item;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn what_has_an_order_is_sorted(mut items in proptest::collection::vec(0_u16..500, 0..300)) {
            let mut expected = items.clone();
            expected.sort_unstable();
            sort_by(&mut items, |a, b| a < b);
            proptest::prop_assert_eq!(items, expected);
        }

        /// Not a number is neither below nor above any other: some order comes out, of the
        /// same elements.
        #[test]
        fn what_has_none_keeps_its_elements(
            items in proptest::collection::vec(0_u16..40, 0..300),
            limit in 0_u16..40,
        ) {
            let number = |item: &u16| if *item < limit { f32::NAN } else { f32::from(*item) };
            let mut sorted = items.clone();
            sort_by(&mut sorted, |a, b| number(a) < number(b));
            let (mut before, mut after) = (items, sorted);
            before.sort_unstable();
            after.sort_unstable();
            proptest::prop_assert_eq!(before, after);
        }
    }

    /// Descending runs of this shape exhaust the depth, so that the heap sorts.
    #[test]
    fn a_killer_sequence_is_sorted_by_the_heap() {
        let half = 1 << 11;
        let killer = |i: u32| {
            if i < half { if i.is_multiple_of(2) { i } else { half + i } } else { 2 * (i - half) }
        };
        let mut items: Vec<_> = (0..2 * half).map(killer).collect();
        let mut expected = items.clone();
        expected.sort_unstable();
        sort_by(&mut items, |a, b| a < b);
        assert_eq!(items, expected);
        let mut sorter = Sorter { items: &mut items, less: |a: &u32, b: &u32| b < a };
        sorter.heap_sort(0, 2 * half as usize);
        expected.reverse();
        assert_eq!(items, expected);
    }
}
