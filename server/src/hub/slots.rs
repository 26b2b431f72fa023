//! Numbered places for subscribers: an index into memory, and a serial that tells successive holders apart.

/// Whose place it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    pub index: usize,
    serial: u64,
}

/// Places that are taken and given back.
#[derive(Debug)]
pub struct Slots<T> {
    // Boxed, so that growing moves pointers and a burst of subscribers leaves little behind.
    places: Vec<Option<(u64, Box<T>)>>,
    free: Vec<usize>,
    next_serial: u64,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self {
            places: Vec::new(),
            free: Vec::new(),
            next_serial: 0,
        }
    }
}

impl<T> Slots<T> {
    pub fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    pub fn insert(&mut self, value: T) -> Key {
        let serial = self.next_serial;
        self.next_serial += 1;
        let index = self.free.pop().unwrap_or_else(|| {
            self.places.push(None);
            self.places.len() - 1
        });
        self.places[index] = Some((serial, Box::new(value)));
        Key { index, serial }
    }

    pub fn remove(&mut self, key: Key) -> Option<T> {
        let place = self.places.get_mut(key.index)?;
        if place.as_ref()?.0 != key.serial {
            return None;
        }
        let (_, value) = place.take()?;
        self.free.push(key.index);
        Some(*value)
    }

    pub fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        let (serial, value) = self.places.get_mut(key.index)?.as_mut()?;
        (*serial == key.serial).then_some(value)
    }

    /// By index alone, for indexes that are kept up to date.
    pub fn at(&self, index: usize) -> Option<&T> {
        let (_, value) = self.places.get(index)?.as_ref()?;
        Some(value)
    }

    pub fn at_mut(&mut self, index: usize) -> Option<&mut T> {
        let (_, value) = self.places.get_mut(index)?.as_mut()?;
        Some(value)
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.iter_numbered().map(|(_, value)| value)
    }

    /// With the index of each.
    pub fn iter_numbered(&mut self) -> impl Iterator<Item = (usize, &mut T)> {
        let places = self.places.iter_mut().enumerate();
        places.filter_map(|(index, place)| Some((index, &mut *place.as_mut()?.1)))
    }
}
