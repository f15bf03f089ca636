export const kubernetesInventory = () => {
  throw new Error('todo');
};
