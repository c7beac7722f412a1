//! A value of each iteration of a phase, in little memory.

/// A value of each iteration.
///
/// Most columns of a run hold few different values, such as rewards of 0 and 1: those are stored
/// once, and of each iteration which of them it has.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Column<T> {
    /// At most [`FEW`] values, and which of them an iteration has.
    Few { values: Vec<T>, places: Vec<u8> },
    /// The same in so few bits an iteration that all values have a number.
    Packed { values: Vec<T>, width: u32, words: Vec<u64>, len: usize },
    /// The values.
    Many(Vec<T>),
    /// Only how many there were: the others were left out.
    Absent { len: usize },
}

/// So many values are told apart by number.
const FEW: usize = 16;

/// A value that can be compared to the last bit.
pub(super) trait Bits: Copy {
    fn bits(self) -> u64;
}

impl Bits for u8 {
    fn bits(self) -> u64 {
        self.into()
    }
}

impl Bits for f64 {
    fn bits(self) -> u64 {
        self.to_bits()
    }
}

impl<T> Default for Column<T> {
    fn default() -> Self {
        Self::Few { values: Vec::new(), places: Vec::new() }
    }
}

impl<T: Bits> FromIterator<T> for Column<T> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        let mut column = Self::default();
        values.into_iter().for_each(|value| column.push(value));
        column
    }
}

impl<T: Bits> Column<T> {
    /// The number of iterations.
    pub fn len(&self) -> usize {
        match self {
            Self::Few { places, .. } => places.len(),
            Self::Many(values) => values.len(),
            Self::Packed { len, .. } | Self::Absent { len } => *len,
        }
    }

    /// Whether the values were left out.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent { .. })
    }

    /// The value of an iteration; `None`, if it was left out.
    pub fn get(&self, index: usize) -> Option<T> {
        match self {
            Self::Few { values, places } => Some(values[usize::from(places[index])]),
            Self::Packed { values, width, words, .. } => {
                Some(values[unpacked(words, *width, index)])
            }
            Self::Many(values) => Some(values[index]),
            Self::Absent { .. } => None,
        }
    }

    /// The value that each iteration has; `None`, if they differ, were left out, or there are none.
    pub fn only_value(&self) -> Option<T> {
        match self {
            Self::Few { values, .. } | Self::Packed { values, .. } => match values[..] {
                [only] => Some(only),
                _ => None,
            },
            Self::Many(_) | Self::Absent { .. } => None,
        }
    }

    /// Every value; `None`, if they were left out.
    pub fn to_vec(&self) -> Option<Vec<T>> {
        (0..self.len()).map(|index| self.get(index)).collect()
    }

    /// Adds the value of the next iteration, to a column that is whole.
    pub fn push(&mut self, value: T) {
        match self {
            Self::Few { values, places } => {
                match values.iter().position(|known| known.bits() == value.bits()) {
                    Some(place) => places.push(narrow(place)),
                    None if values.len() < FEW => {
                        places.push(narrow(values.len()));
                        values.push(value);
                    }
                    None => self.push_to_all(value),
                }
            }
            Self::Many(values) => values.push(value),
            Self::Packed { .. } | Self::Absent { .. } => self.push_to_all(value),
        }
    }

    fn push_to_all(&mut self, value: T) {
        let mut values = self.to_vec().unwrap_or_default();
        values.push(value);
        *self = Self::Many(values);
    }

    /// The bits that an iteration takes when it is packed; `None`, if it cannot be.
    pub fn width(&self) -> Option<u32> {
        match self {
            Self::Few { values, .. } => Some(values.len().next_power_of_two().trailing_zeros()),
            Self::Packed { width, .. } => Some(*width),
            Self::Many(_) | Self::Absent { .. } => None,
        }
    }

    /// The same, packed if it can be.
    pub fn packed(self) -> Self {
        let width = self.width().unwrap_or_default();
        match self {
            Self::Few { values, places } => {
                let mut words = vec![0; (places.len() * width as usize).div_ceil(64)];
                for (index, place) in places.iter().enumerate() {
                    pack(&mut words, width, index, *place);
                }
                Self::Packed { values, width, words, len: places.len() }
            }
            other => other,
        }
    }

    /// The same without its values.
    pub fn absent(self) -> Self {
        Self::Absent { len: self.len() }
    }
}

fn narrow(place: usize) -> u8 {
    u8::try_from(place).expect("there are few values")
}

/// A place may lie in two words.
fn pack(words: &mut [u64], width: u32, index: usize, place: u8) {
    let bit = index * width as usize;
    let (word, shift) = (bit / 64, bit % 64);
    if width == 0 {
        return;
    }
    words[word] |= u64::from(place) << shift;
    if shift + width as usize > 64 {
        words[word + 1] |= u64::from(place) >> (64 - shift);
    }
}

fn unpacked(words: &[u64], width: u32, index: usize) -> usize {
    if width == 0 {
        return 0;
    }
    let bit = index * width as usize;
    let (word, shift) = (bit / 64, bit % 64);
    let mut place = words[word] >> shift;
    if shift + width as usize > 64 {
        place |= words[word + 1] << (64 - shift);
    }
    usize::try_from(place & ((1 << width) - 1)).expect("there are few values")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever the values are, and however often they recur.
        #[test]
        fn a_column_gives_back_what_it_took(
            kinds in prop::collection::vec(prop_oneof![Just(0.0), Just(-0.0), -9.0..9.0_f64], 1..20),
            places in prop::collection::vec(0..20_usize, 0..300),
        ) {
            let values: Vec<f64> = places.iter().map(|place| kinds[place % kinds.len()]).collect();
            let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
            let column: Column<f64> = values.iter().copied().collect();
            prop_assert_eq!(bits(&column.to_vec().unwrap()), bits(&values));
            let width = column.width();
            let packed = column.packed();
            prop_assert_eq!(packed.len(), values.len());
            prop_assert_eq!(bits(&packed.to_vec().unwrap()), bits(&values));
            prop_assert!(width.is_none_or(|width| width <= 4));
            let absent = packed.absent();
            prop_assert_eq!((absent.len(), absent.to_vec().is_none()), (values.len(), !values.is_empty()));
        }
    }
}
